// Many small worlds with faults (tests/server/support/simulation). SLIPWAY_SIMULATION_SECONDS
// (default 3), SLIPWAY_SIMULATION_SEED and SLIPWAY_SIMULATION_RUNS steer it, `./run simulate` sets
// them; each world of some runs has its own seed, which is printed when something is wrong.
#include "tests/server/support/simulation/simulation.h"

#include <QTest>

#include <fmt/format.h>

#include <chrono>

using tests::Sabotage;
using tests::Simulation;

namespace {

constexpr int kRunsPerWorld = 8;
/// Worlds between two lines of progress.
constexpr std::uint64_t kProgress = 1000;

std::uint64_t fromEnvironment(const char *name, std::uint64_t otherwise)
{
    bool ok = false;
    const qulonglong value = qEnvironmentVariable(name).toULongLong(&ok);
    return ok ? value : otherwise;
}

/// Empty, or what went wrong.
std::string simulate(std::uint64_t seed, Sabotage sabotage = Sabotage::None)
{
    try {
        Simulation(seed, sabotage).run(kRunsPerWorld);
        return {};
    } catch (const std::exception &error) {
        return fmt::format("seed {}: {}", seed, error.what());
    }
}

} // namespace

class TestSimulation : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holdsInvariantsUnderFaults();
    void holdsInvariantsWithSeedsThatOnceFailed_data();
    void holdsInvariantsWithSeedsThatOnceFailed();
    void repeatsASeed();
    void noticesSabotage_data();
    void noticesSabotage();
};

void TestSimulation::holdsInvariantsUnderFaults()
{
    const auto random =
        static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) %
        1'000'000'000;
    const std::uint64_t first = fromEnvironment("SLIPWAY_SIMULATION_SEED", random);
    const std::uint64_t runs = fromEnvironment("SLIPWAY_SIMULATION_RUNS", 0);
    const auto until = std::chrono::steady_clock::now() +
                       std::chrono::seconds(fromEnvironment("SLIPWAY_SIMULATION_SECONDS", 3));
    std::uint64_t worlds = 0;
    while (runs > 0 ? worlds * kRunsPerWorld < runs : std::chrono::steady_clock::now() < until) {
        const std::string problem = simulate(first + worlds);
        QVERIFY2(problem.empty(), problem.c_str());
        if (++worlds % kProgress == 0)
            qInfo("%llu runs so far, next seed %llu",
                  static_cast<unsigned long long>(worlds * kRunsPerWorld),
                  static_cast<unsigned long long>(first + worlds));
    }
    qInfo("%llu simulated runs, seeds %llu to %llu",
          static_cast<unsigned long long>(worlds * kRunsPerWorld),
          static_cast<unsigned long long>(first),
          static_cast<unsigned long long>(first + worlds - 1));
    QVERIFY(worlds > 0);
}

void TestSimulation::holdsInvariantsWithSeedsThatOnceFailed_data()
{
    QTest::addColumn<quint64>("seed");
    QTest::newRow("1") << quint64(1);
    // A job whose offer ended was offered again in the same batch: its pipeline's turn.
    QTest::newRow("a turn that nobody saw") << quint64(2026200617);
    QTest::newRow("a turn that nobody saw, 2") << quint64(2026776700);
}

void TestSimulation::holdsInvariantsWithSeedsThatOnceFailed()
{
    QFETCH(const quint64, seed);
    const std::string problem = simulate(seed);
    QVERIFY2(problem.empty(), problem.c_str());
}

/// A seed that is printed must show again what it showed.
void TestSimulation::repeatsASeed()
{
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Simulation first(seed);
        first.run(kRunsPerWorld);
        Simulation second(seed);
        second.run(kRunsPerWorld);
        QCOMPARE(first.course(), second.course());
    }
}

void TestSimulation::noticesSabotage_data()
{
    QTest::addColumn<int>("sabotage");
    QTest::newRow("locks are given to two") << int(Sabotage::ForgetLockHolders);
    QTest::newRow("running jobs are given out again") << int(Sabotage::GiveOutTwice);
    QTest::newRow("limits are forgotten") << int(Sabotage::IgnoreLimits);
    QTest::newRow("one pipeline always goes first") << int(Sabotage::FavourOne);
    QTest::newRow("clocks that are set end leases") << int(Sabotage::IgnoreClockJumps);
}

/// An invariant that nothing can break proves nothing: each damage is found, and reported.
void TestSimulation::noticesSabotage()
{
    QFETCH(const int, sabotage);
    std::string problem;
    for (std::uint64_t seed = 1; seed <= 20 && problem.empty(); ++seed)
        problem = simulate(seed, static_cast<Sabotage>(sabotage));
    QVERIFY(!problem.empty());
}

QTEST_GUILESS_MAIN(TestSimulation)
#include "tst_simulation.moc"
