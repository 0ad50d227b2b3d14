// Speed of the language (Google Benchmark). A benchmark X/baseline is what X is held against,
// X/baseline/N for X/N.
#include "pipelines/compile/compiler.h"
#include "pipelines/expr/expression.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

#include <benchmark/benchmark.h>
#include <map>
#include <sstream>
#include <strings.h>

using namespace pipelines;

namespace {

class Files : public FileSource
{
public:
    std::map<std::string, std::string> files;

    schema::Result<std::string> read(const std::string &, const schema::RepositoryResource *,
                                     const std::string &path) override
    {
        const auto found = files.find(path);
        if (found == files.end())
            return schema::Error{schema::ErrorCode::NotFound, "no such file"};
        return found->second;
    }
};

/// A file without templates, about `lines` long.
std::string plainFile(int lines)
{
    std::string text = "trigger: [main]\nvariables:\n  configuration: Release\nstages:\n";
    for (int i = 0, line = 4; line < lines; ++i) {
        text += "- stage: S" + std::to_string(i) +
                "\n  dependsOn: []\n  jobs:\n  - job: Build\n    pool:\n      vmImage: "
                "ubuntu-latest\n    steps:\n";
        line += 7;
        for (int step = 0; step < 8 && line < lines; ++step, line += 6)
            text += "    - task: Bash@3\n      displayName: Step " + std::to_string(step) +
                    "\n      inputs:\n        targetType: inline\n        script: make all -j "
                    "$(configuration)\n      condition: succeeded()\n";
    }
    return text;
}

class NoEvents : public YAML::EventHandler
{
public:
    void OnDocumentStart(const YAML::Mark &) override {}

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark &, YAML::anchor_t) override {}

    void OnAlias(const YAML::Mark &, YAML::anchor_t) override {}

    void OnScalar(const YAML::Mark &, const std::string &, YAML::anchor_t,
                  const std::string &) override
    {}

    void OnSequenceStart(const YAML::Mark &, const std::string &, YAML::anchor_t,
                         YAML::EmitterStyle::value) override
    {}

    void OnSequenceEnd() override {}

    void OnMapStart(const YAML::Mark &, const std::string &, YAML::anchor_t,
                    YAML::EmitterStyle::value) override
    {}

    void OnMapEnd() override {}
};

void compilePlain(benchmark::State &state)
{
    CompileRequest request;
    request.text = plainFile(1000);
    Files files;
    for (auto _ : state) {
        const Compilation result = compile(request, files);
        if (!result.ok())
            state.SkipWithError(result.diagnostics[0].message.c_str());
        benchmark::DoNotOptimize(&result);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(request.text.size()));
}

/// The bare event parse of `text`.
void parse(benchmark::State &state, const std::string &text)
{
    for (auto _ : state) {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        NoEvents handler;
        while (parser.HandleNextDocument(handler)) {
        }
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void parsePlain(benchmark::State &state)
{
    parse(state, plainFile(1000));
}

class Condition : public expr::Context
{
public:
    Condition()
    {
        auto variables = std::make_shared<expr::PlainObject>(true);
        variables->add("Build.Reason", expr::Value::own("IndividualCI"));
        variables->add("Build.SourceBranch", expr::Value::own("refs/heads/main"));
        m_variables = variables;
    }

    std::optional<expr::Value> named(expr::Name, std::string_view) const override
    {
        return expr::Value::object(expr::ObjectPtr(expr::ObjectPtr{}, m_variables.get()));
    }

    bool status(expr::Function, const std::vector<std::string> &) const override { return true; }

private:
    std::shared_ptr<const expr::Object> m_variables;
};

void evaluateCondition(benchmark::State &state)
{
    const auto parsed =
        expr::parse("and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))",
                    expr::Slot::JobCondition);
    const Condition context;
    for (auto _ : state) {
        const auto value = expr::evaluate(*parsed.expression, context);
        if (!value || !value->asBoolean())
            state.SkipWithError("wrong result");
        benchmark::DoNotOptimize(&value);
    }
    state.SetItemsProcessed(state.iterations());
}

/// The same decision as a C++ programmer would write it: a lookup that ignores case, a comparison
/// that does, too.
void compareInPlainCode(benchmark::State &state)
{
    const auto less = [](const std::string &a, const std::string &b) {
        return strcasecmp(a.c_str(), b.c_str()) < 0;
    };
    const std::map<std::string, std::string, decltype(less)> variables(
        {{"Build.Reason", "IndividualCI"}, {"Build.SourceBranch", "refs/heads/main"}}, less);
    bool succeeded = true;
    const std::string name = "Build.SourceBranch";
    const std::string wanted = "refs/heads/main";
    for (auto _ : state) {
        benchmark::DoNotOptimize(succeeded);
        const auto found = variables.find(name);
        bool value = succeeded && found != variables.end() &&
                     strcasecmp(found->second.c_str(), wanted.c_str()) == 0;
        benchmark::DoNotOptimize(value);
    }
}

/// 100 template files, included so often that the result has about `lines` lines.
CompileRequest manyTemplates(int lines, Files &files)
{
    constexpr int kFiles = 99;
    constexpr int kStepsPerFile = 10;
    constexpr int kLinesPerStep = 5; // of the expanded document
    for (int i = 0; i < kFiles; ++i) {
        std::string text = "parameters:\n- name: n\n  type: number\nsteps:\n";
        for (int step = 0; step < kStepsPerFile; ++step)
            text += "- ${{ if gt(parameters.n, 0) }}:\n  - bash: echo ${{ parameters.n }} " +
                    std::to_string(step) + "\n    displayName: Step ${{ parameters.n }}\n";
        files.files["/t" + std::to_string(i) + ".yml"] = text;
    }
    CompileRequest request;
    request.text = "jobs:\n";
    int file = 0;
    for (int made = 0; made < lines; made += kStepsPerFile * kLinesPerStep, ++file) {
        if (file % 20 == 0)
            request.text += "- job: J" + std::to_string(file) + "\n  steps:\n";
        request.text += "  - template: t" + std::to_string(file % kFiles) +
                        ".yml\n    parameters: {n: " + std::to_string(file + 1) + "}\n";
    }
    return request;
}

void expandTemplates(benchmark::State &state)
{
    Files files;
    const CompileRequest request = manyTemplates(static_cast<int>(state.range(0)), files);
    for (auto _ : state) {
        const Compilation result = compile(request, files);
        if (!result.ok())
            state.SkipWithError(result.diagnostics[0].message.c_str());
        benchmark::DoNotOptimize(&result);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

void parseExpanded(benchmark::State &state)
{
    Files files;
    parse(state, compile(manyTemplates(static_cast<int>(state.range(0)), files), files).finalYaml);
}

void sizes(benchmark::internal::Benchmark *benchmark)
{
    benchmark->Unit(benchmark::kMillisecond);
    for (const int lines : {1'000, 5'000, 20'000, 100'000, 200'000})
        benchmark->Arg(lines);
}

} // namespace

BENCHMARK(compilePlain)->Name("compile_1000_plain_lines")->Unit(benchmark::kMicrosecond);
BENCHMARK(parsePlain)->Name("compile_1000_plain_lines/baseline")->Unit(benchmark::kMicrosecond);
BENCHMARK(evaluateCondition)->Name("evaluate_condition");
BENCHMARK(compareInPlainCode)->Name("evaluate_condition/baseline");
BENCHMARK(expandTemplates)->Name("expand_100_templates")->Apply(sizes);
BENCHMARK(parseExpanded)->Name("expand_100_templates/baseline")->Apply(sizes);
BENCHMARK_MAIN();
