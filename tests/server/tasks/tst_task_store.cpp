// Installing, choosing and removing packages of tasks; what is no package is refused whole.
#include "server/tasks/task_demands.h"
#include "server/tasks/task_store.h"

#include <QTemporaryDir>
#include <QTest>

#include <archive.h>
#include <archive_entry.h>

#include <fstream>
#include <sstream>

using schema::ErrorCode;
using server::tasks::TaskStore;

namespace {

namespace fs = std::filesystem;
using Files = std::vector<std::pair<std::string, std::string>>;

std::string zip(const Files &files, unsigned type = AE_IFREG)
{
    std::string out(1U << 20U, '\0');
    std::size_t used = 0;
    archive *writer = archive_write_new();
    archive_write_set_format_zip(writer);
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    for (const auto &[name, content] : files) {
        archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, name.c_str());
        archive_entry_set_filetype(entry, type);
        archive_entry_set_perm(entry, 0644);
        if (type == AE_IFLNK)
            archive_entry_set_symlink(entry, content.c_str());
        else
            archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
        archive_write_header(writer, entry);
        if (type != AE_IFLNK)
            archive_write_data(writer, content.data(), content.size());
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return out;
}

std::string taskJson(const std::string &version, const std::string &name = "Mine",
                     const std::string &id = "11111111-2222-4333-8444-555555555555")
{
    std::array<std::string, 3> part;
    std::istringstream in(version);
    for (auto &text : part)
        std::getline(in, text, '.');
    return R"({"id": ")" + id + R"(", "name": ")" + name + R"(", "version": {"Major": )" + part[0] +
           R"(, "Minor": )" + part[1] + R"(, "Patch": )" + part[2] +
           R"(}, "execution": {"Node20_1": {"target": "main.js"}}})";
}

std::string package(const std::string &version, const std::string &script = "1")
{
    return zip({{"task.json", taskJson(version)}, {"main.js", script}});
}

schema::Result<std::vector<server::tasks::StoredTask>>
install(TaskStore &store, const std::string &bytes, const std::string &sha256 = {})
{
    std::istringstream body(bytes);
    return store.install(body, sha256);
}

} // namespace

class TestTaskStore : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void choosesTheHighestVersionThatIsAskedFor()
    {
        const QTemporaryDir folder;
        const fs::path root = folder.filePath(QStringLiteral("tasks")).toStdString();
        {
            auto store = TaskStore::open(root);
            QVERIFY(store);
            for (const char *version : {"2.9.0", "2.10.0", "2.10.1", "3.0.0"})
                QVERIFY(install(**store, package(version)));
        }
        auto store = TaskStore::open(root); // what was acknowledged is there again
        QVERIFY(store);
        const auto version = [&](const char *asked) {
            const auto found = (*store)->find("mine", asked);
            return found ? found->version : found.error().message;
        };
        QCOMPARE(version("2"), std::string("2.10.1"));
        QCOMPARE(version("2.9"), std::string("2.9.0"));
        QCOMPARE(version("2.10.0"), std::string("2.10.0"));
        QCOMPARE(version(""), std::string("3.0.0"));
        QVERIFY(version("4").find("2.9.0, 2.10.0, 2.10.1, 3.0.0") != std::string::npos);
        QVERIFY((*store)->find("11111111-2222-4333-8444-555555555555", "3"));
        const auto file = (*store)->package("11111111-2222-4333-8444-555555555555", "3.0.0");
        QVERIFY(file && fs::is_regular_file(*file));
        const auto removed = (*store)->remove("Mine", "2");
        QVERIFY(removed && removed->size() == 3);
        QVERIFY(!(*store)->find("Mine", "2"));
        QVERIFY((*store)->find("Mine", "3"));
    }

    void sameVersionTwice()
    {
        const QTemporaryDir folder;
        auto store = TaskStore::open(folder.path().toStdString());
        QVERIFY(install(**store, package("1.0.0")));
        QVERIFY(install(**store, package("1.0.0")));
        QCOMPARE((*store)->list().size(), std::size_t{1});
        const auto other = install(**store, package("1.0.0", "other"));
        QVERIFY(!other && other.error().code == ErrorCode::AlreadyExists);
        const auto taken = install(
            **store,
            zip({{"task.json", taskJson("1.5.0", "Mine", "11111111-2222-4333-8444-666666666666")},
                 {"main.js", ""}}));
        QVERIFY(!taken && taken.error().code == ErrorCode::AlreadyExists);
    }

    void extension()
    {
        const QTemporaryDir folder;
        auto store = TaskStore::open(folder.path().toStdString());
        const std::string manifest = R"({"publisher": "acme", "extensionId": "tools",
            "contributions": [
              {"id": "mine-task", "type": "ms.vss-distributed-task.task",
               "properties": {"name": "tasks/Mine"}},
              {"id": "hub", "type": "ms.vss-web.hub", "properties": {"name": "Other"}}]})";
        const auto installed =
            install(**store, zip({{"[Content_Types].xml", "<x/>"},
                                  {"extension.vsomanifest", manifest},
                                  {"tasks/Mine/MineV1/task.json", taskJson("1.0.0")},
                                  {"tasks/Mine/MineV1/main.js", "1"},
                                  {"tasks/Mine/MineV2/task.json", taskJson("2.0.0")},
                                  {"tasks/Mine/MineV2/main.js", "2"},
                                  {"Other/task.json", taskJson("7.0.0")}}));
        QVERIFY2(bool(installed), installed ? "" : installed.error().message.c_str());
        QCOMPARE(installed->size(), std::size_t{2});
        const auto found = (*store)->find("acme.tools.mine-task.Mine", "1");
        QVERIFY(found);
        QCOMPARE(found->version, std::string("1.0.0"));
    }

    void refused_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("says");
        const auto row = [](const char *name, const std::string &bytes, const char *says) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << QString::fromLatin1(says);
        };
        row("no archive", "hello", "no zip archive");
        row("empty", "", "no zip archive");
        row("cut off", package("1.0.0").substr(0, 100), "no zip archive");
        row("no task", zip({{"readme.txt", "x"}}), "no task.json");
        row("only a dependency's", zip({{"node_modules/x/task.json", taskJson("1.0.0")}}),
            "no task.json");
        row("broken task.json", zip({{"task.json", "{"}}), "task.json");
        row("no id", zip({{"task.json", taskJson("1.0.0", "X", "../../etc")}}), "no GUID");
        row("bad name", zip({{"task.json", taskJson("1.0.0", "a/b")}}), "slashes");
        row("leaves the archive", zip({{"task.json", taskJson("1.0.0")}, {"../evil", "x"}}),
            "leaves it");
        row("absolute", zip({{"task.json", taskJson("1.0.0")}, {"/etc/evil", "x"}}), "leaves it");
        row("bomb",
            zip({{"task.json", taskJson("1.0.0")}, {"zeros", std::string(80U << 20U, '\0')}}),
            "more than 250 times its size");
        row("link", zip({{"task.json", "/etc/passwd"}}, AE_IFLNK), "link");
    }

    void refused()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, says);
        const QTemporaryDir folder;
        const fs::path root = folder.filePath(QStringLiteral("tasks")).toStdString();
        auto store = TaskStore::open(root);
        const auto result = install(**store, bytes.toStdString());
        QVERIFY(!result);
        QVERIFY2(QString::fromStdString(result.error().message).contains(says),
                 result.error().message.c_str());
        QVERIFY((*store)->list().empty());
        QVERIFY(fs::is_empty(root)); // nothing of it remains
    }

    void demandsGoToTheJobs()
    {
        const QTemporaryDir folder;
        const fs::path root = folder.path().toStdString();
        const auto demanding = [](const std::string &version, const std::string &members,
                                  const std::string &name, const std::string &id) {
            auto text = taskJson(version, name, id);
            text.insert(1, members);
            return zip({{"task.json", text}, {"main.js", ""}});
        };
        const std::string own = "11111111-2222-4333-8444-555555555555";
        {
            auto store = TaskStore::open(root);
            QVERIFY(install(**store,
                            demanding("2.0.0", R"("demands": ["java", "maven"], )", "Mine", own)));
            QVERIFY(install(**store,
                            demanding("2.1.0",
                                      R"("demands": ["java"], "minimumAgentVersion": "2.182.1", )",
                                      "Mine", own)));
            QVERIFY(install(**store, demanding("2.9.0", R"("demands": ["npm"], )", "CopyFiles",
                                               "5bfb729a-a7c8-4a78-a7c3-8d717bb7c13c")));
        }
        auto store = TaskStore::open(root); // as after a restart
        const auto step = [](const std::string &task, const std::string &version) {
            schema::Step out;
            out.task = task;
            out.taskVersion = version;
            return out;
        };
        using Demands = std::vector<std::string>;
        const auto demandsOf = [&](std::vector<schema::Step> steps, Demands before) {
            schema::RunPlan plan;
            plan.stages.resize(1);
            plan.stages[0].jobs.resize(1);
            plan.stages[0].jobs[0].steps = std::move(steps);
            plan.stages[0].jobs[0].pool.demands = std::move(before);
            server::tasks::addTaskDemands(plan, **store);
            return plan.stages[0].jobs[0].pool.demands;
        };
        const std::string agent = "Agent.Version -gtVersion 2.182.1";
        QCOMPARE(demandsOf({step("Mine", "2")}, {}), (Demands{"java", agent}));
        QCOMPARE(demandsOf({step("Mine", "2.0.0")}, {"java"}), (Demands{"java", "maven"}));
        QCOMPARE(demandsOf({step("Mine", "2.0.0"), step("Mine", "2")}, {"gpu"}),
                 (Demands{"gpu", "java", "maven", agent}));
        // The built-in one stands for all of 2.x, the package for the version that names it.
        QCOMPARE(demandsOf({step("CopyFiles", "2")}, {}), Demands{});
        QCOMPARE(demandsOf({step("CopyFiles", "2.9.0")}, {}), Demands{"npm"});
        QCOMPARE(demandsOf({step("Unknown", "1"), step("CmdLine", "2")}, {}), Demands{});

        schema::RunPlan plan;
        plan.stages.resize(1);
        plan.stages[0].jobs.resize(2);
        schema::Job &deployment = plan.stages[0].jobs[0];
        deployment.hooks.resize(2);
        deployment.hooks[0].steps = {step("Mine", "2.0.0")};
        deployment.hooks[1].steps = {step("CopyFiles", "2.9.0")};
        deployment.hooks[1].pool.emplace();
        schema::Job &onServer = plan.stages[0].jobs[1];
        onServer.pool.server = true;
        onServer.steps = {step("Mine", "2")};
        server::tasks::addTaskDemands(plan, **store);
        QCOMPARE(deployment.pool.demands, (Demands{"java", "maven"}));
        QCOMPARE(deployment.hooks[1].pool->demands, Demands{"npm"});
        QCOMPARE(onServer.pool.demands, Demands{});
    }

    void wrongChecksum()
    {
        const QTemporaryDir folder;
        auto store = TaskStore::open(folder.path().toStdString());
        const auto result = install(**store, package("1.0.0"), std::string(64, '0'));
        QVERIFY(!result && result.error().message.find("wrong checksum") != std::string::npos);
        QVERIFY((*store)->list().empty());
    }
};

QTEST_GUILESS_MAIN(TestTaskStore)
#include "tst_task_store.moc"
