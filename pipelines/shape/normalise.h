#pragma once
/// The canonical form of expanded structures (pipeline-language 1.2, 3.9, 3.14, 6.5): shorthands
/// become tasks, short forms become long ones. Canonical input comes back unchanged.

#include "pipelines/yaml/node.h"

namespace pipelines::shape {

class Normaliser
{
public:
    explicit Normaliser(yaml::Arena &arena)
        : m_arena(arena)
    {}

    /// Nodes that are not of the expected shape are returned as they are: the checker reports them.
    const yaml::Node *step(const yaml::Node &node);
    const yaml::Node *steps(const yaml::Node &node);
    const yaml::Node *job(const yaml::Node &node);
    const yaml::Node *jobs(const yaml::Node &node);
    const yaml::Node *stage(const yaml::Node &node);
    const yaml::Node *stages(const yaml::Node &node);
    /// A mapping becomes a list of name and value; a list stays.
    const yaml::Node *variables(const yaml::Node &node);
    const yaml::Node *root(const yaml::Node &node);
    /// A scalar becomes a list of one, an empty one an empty list.
    const yaml::Node *nameList(const yaml::Node &node);

private:
    const yaml::Node *container(const yaml::Node &node);
    const yaml::Node *services(const yaml::Node &node);
    const yaml::Node *environment(const yaml::Node &node);
    const yaml::Node *pool(const yaml::Node &node);
    const yaml::Node *deploymentStrategy(const yaml::Node &node);
    const yaml::Node *lifecycle(const yaml::Node &node);
    const yaml::Node *hook(const yaml::Node &node);
    const yaml::Node *phase(const yaml::Node &node);
    const yaml::Node *trigger(const yaml::Node &node);
    const yaml::Node *resources(const yaml::Node &node);
    const yaml::Node *jobBody(const yaml::Node &node);
    template <typename Change> const yaml::Node *list(const yaml::Node &node, Change change);
    template <typename Change> const yaml::Node *values(const yaml::Node &node, Change change);

    yaml::Arena &m_arena;
};

} // namespace pipelines::shape
