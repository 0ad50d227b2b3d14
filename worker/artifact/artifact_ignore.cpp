#include "worker/artifact/artifact_ignore.h"

#include "worker/base/text.h"
#include "worker/glob/glob.h"

namespace worker {

ArtifactIgnore::ArtifactIgnore(const fs::path &root)
{
    auto text = readFile(root / ".artifactignore", 1U << 20U);
    if (!text) {
        m_rules = {{"**/.git/**", false}, {".git/**", false}};
        return;
    }
    for (auto line : lines(*text)) {
        line = trimmed(line);
        if (line.empty() || line.front() == '#')
            continue;
        const bool back = line.front() == '!';
        if (back)
            line.erase(0, 1);
        if (line.ends_with('/'))
            line.pop_back();
        const bool anywhere = line.find('/') == std::string::npos;
        if (line.starts_with('/'))
            line.erase(0, 1);
        m_rules.emplace_back(line, back);
        m_rules.emplace_back(line + "/**", back);
        if (anywhere) {
            m_rules.emplace_back("**/" + line, back);
            m_rules.emplace_back("**/" + line + "/**", back);
        }
    }
}

bool ArtifactIgnore::excludes(const std::string &path) const
{
    bool out = false;
    for (const auto &[pattern, back] : m_rules) {
        if (matchesGlob(pattern, path))
            out = !back;
    }
    return out;
}

} // namespace worker
