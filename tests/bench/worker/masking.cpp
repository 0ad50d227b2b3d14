// Masking alone: a build log through a stream that knows 100 secrets, beside a copy of the same
// bytes.
#include "worker/mask/masker.h"

#include <benchmark/benchmark.h>
#include <cstring>
#include <random>
#include <string>

namespace {

constexpr std::size_t kBytes = 8U << 20U;

/// Lines as a compiler prints them; one in a thousand holds a secret.
std::string buildLog(const std::vector<std::string> &secrets)
{
    std::string out;
    std::mt19937 random(7);
    for (std::size_t i = 0; out.size() < kBytes; ++i) {
        out += "[" + std::to_string(i % 400) +
               "/400] Building CXX object worker/CMakeFiles/x.dir/" + std::to_string(random()) +
               "/file_" + std::to_string(random() % 1000) + ".cpp.o";
        if (i % 1000 == 0)
            out += " --token=" + secrets[i / 1000 % secrets.size()];
        out += '\n';
    }
    return out;
}

std::vector<std::string> manySecrets(std::size_t count)
{
    static constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=";
    std::mt19937 random(11);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i) {
        std::string secret;
        for (std::size_t k = 0; k < 12 + i % 40; ++k)
            secret += kAlphabet[random() % kAlphabet.size()];
        out.push_back(std::move(secret));
    }
    return out;
}

void masking(benchmark::State &state)
{
    const auto secrets = manySecrets(static_cast<std::size_t>(state.range(0)));
    worker::Masker masker;
    for (const auto &secret : secrets)
        masker.add(secret);
    const auto text = buildLog(secrets);
    std::string out;
    out.reserve(text.size());
    for ([[maybe_unused]] auto _ : state) {
        out.clear();
        worker::MaskStream stream(masker);
        for (std::size_t at = 0; at < text.size(); at += 65536) // as a pipe gives it
            stream.feed(std::string_view(text).substr(at, 65536), out);
        stream.finish(out);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(text.size() * state.iterations()));
}

void copy(benchmark::State &state)
{
    const auto text = buildLog(manySecrets(1));
    std::string out;
    out.reserve(text.size());
    for ([[maybe_unused]] auto _ : state) {
        out.clear();
        for (std::size_t at = 0; at < text.size(); at += 65536)
            out.append(text, at, 65536);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(text.size() * state.iterations()));
}

BENCHMARK(masking)->Arg(1)->Arg(20)->Arg(100);
BENCHMARK(copy);

} // namespace

BENCHMARK_MAIN();
