// Artifacts: visible only whole, shared by content, safe paths only, zip on the fly.
#include "tests/server/support/world.h"

#include <QCryptographicHash>
#include <QTest>

#include <archive.h>
#include <archive_entry.h>

#include <fstream>
#include <functional>
#include <sstream>

using namespace tests;
using schema::ErrorCode;
using server::artifacts::Artifact;

namespace {

struct Entry
{
    std::string path, content;
    unsigned type = AE_IFREG;
};

std::string tarOf(const std::vector<Entry> &entries, bool compressed = true)
{
    std::string bytes;
    archive *a = archive_write_new();
    archive_write_set_format_pax_restricted(a);
    if (compressed)
        archive_write_add_filter_zstd(a);
    archive_write_set_bytes_per_block(a, 0);
    archive_write_open(
        a, &bytes, nullptr,
        [](archive *, void *client, const void *data, size_t size) -> la_ssize_t {
            static_cast<std::string *>(client)->append(static_cast<const char *>(data), size);
            return static_cast<la_ssize_t>(size);
        },
        nullptr);
    for (const Entry &entry : entries) {
        archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, entry.path.c_str());
        archive_entry_set_filetype(e, entry.type);
        archive_entry_set_perm(e, 0755);
        archive_entry_set_size(e, static_cast<la_int64_t>(entry.content.size()));
        if (entry.type == AE_IFLNK)
            archive_entry_set_symlink(e, "/etc/passwd");
        archive_write_header(a, e);
        archive_write_data(a, entry.content.data(), entry.content.size());
        archive_entry_free(e);
    }
    archive_write_close(a);
    archive_write_free(a);
    return bytes;
}

schema::Result<Artifact> upload(World &world, std::int64_t run, const std::string &name,
                                const std::string &bytes, const std::string &record = "record",
                                schema::TimePoint attemptSince = {})
{
    auto incoming = world.artifacts->begin(run, name, record, attemptSince);
    if (!incoming)
        return incoming.error();
    std::istringstream body(bytes);
    if (auto received = incoming->receive(body); !received)
        return received.error();
    return incoming->finish();
}

std::size_t filesBelow(const World &world, const char *folder)
{
    std::size_t count = 0;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(
             world.dir.path().toStdString() + "/artifacts/" + folder))
        count += entry.is_regular_file() ? 1 : 0;
    return count;
}

} // namespace

class TestArtifactStore : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void storesAndReadsBack_data();
    void storesAndReadsBack();
    void hashesWhatIsLong_data();
    void hashesWhatIsLong();
    void refusesAPlainTarThatIsCutOff();
    void refusesABodyThatBreaksOff();
    void refuses_data();
    void refuses();
    void refusesNames_data();
    void refusesNames();
    void showsNothingOfAnInterruptedUpload();
    void repeatsAreHarmless();
    void sharesEqualContent();
    void laterAttemptsReplaceTheirOwn();
    void retriedJobPublishesAgain();
};

void TestArtifactStore::storesAndReadsBack_data()
{
    QTest::addColumn<bool>("compressed");
    QTest::newRow("compressed") << true;
    QTest::newRow("plain") << false;
}

void TestArtifactStore::storesAndReadsBack()
{
    QFETCH(bool, compressed);
    World world;
    const auto run = world.queue(plan({stage("Build", {job("A")})}));
    const std::string large(300'000, 'z');
    const auto artifact =
        upload(world, run, "manifests",
               tarOf({{"./web/", "", AE_IFDIR}, {"./web/a.yml", "kind: A\n"}, {"b.bin", large}},
                     compressed));
    QVERIFY2(artifact, artifact ? "" : artifact.error().message.c_str());
    QCOMPARE(artifact->files, 2U);
    QCOMPARE(artifact->size, 8U + large.size());
    const auto found = world.artifacts->find(run, "MANIFESTS");
    QVERIFY(found);
    const auto entries = world.artifacts->entries(*found).value();
    QCOMPARE(entries.size(), 2U);
    QCOMPARE(entries[0].path, std::string("web/a.yml"));
    QCOMPARE(entries[0].mode, 0755U);
    std::string content;
    const auto collect = [&](std::span<const char> bytes) {
        content.append(bytes.data(), bytes.size());
        return true;
    };
    QVERIFY(world.artifacts->readFile(*found, "b.bin", collect));
    QVERIFY(content == large);
    QCOMPARE(int(world.artifacts->readFile(*found, "c", collect).error().code),
             int(ErrorCode::NotFound));
    QVERIFY(world.artifacts->find(run, "nothing").error().message.find("manifests") !=
            std::string::npos);

    std::string zip;
    QVERIFY(world.artifacts->zip(*found, [&](std::span<const char> bytes) {
        zip.append(bytes.data(), bytes.size());
        return true;
    }));
    archive *a = archive_read_new();
    archive_read_support_format_zip(a);
    QCOMPARE(archive_read_open_memory(a, zip.data(), zip.size()), ARCHIVE_OK);
    std::vector<std::string> names;
    for (archive_entry *entry = nullptr; archive_read_next_header(a, &entry) == ARCHIVE_OK;)
        names.emplace_back(archive_entry_pathname(entry));
    archive_read_free(a);
    QCOMPARE(names, (std::vector<std::string>{"manifests/web/a.yml", "manifests/b.bin"}));
}

void TestArtifactStore::hashesWhatIsLong_data()
{
    QTest::addColumn<int>("length");
    // Around the pieces of ContentWriter, of which a tar needs 1.5 KiB beside the content: one,
    // two, more than it holds at once.
    constexpr int kPiece = 256 << 10;
    constexpr int kRest = 1536;
    for (const int length : {1, kPiece - kRest, kPiece, 2 * kPiece - kRest, 2 * kPiece, 5'000'000})
        QTest::addRow("%d", length) << length;
}

void TestArtifactStore::hashesWhatIsLong()
{
    QFETCH(int, length);
    World world;
    const auto run = world.queue(plan({stage("Build", {job("A")})}));
    std::string content;
    for (int i = 0; i < length; ++i)
        content += static_cast<char>(i * 31 + i / 256);
    const std::string tar = tarOf({{"a", content}}, false);
    const auto artifact = upload(world, run, "long", tar);
    QVERIFY2(artifact, artifact ? "" : artifact.error().message.c_str());
    const auto expected = QCryptographicHash::hash(
        QByteArray(tar.data(), static_cast<qsizetype>(tar.size())), QCryptographicHash::Sha256);
    QCOMPARE(QByteArray::fromStdString(artifact->sha256), expected.toHex());
    std::string back;
    QVERIFY(world.artifacts->readFile(*artifact, "a", [&](std::span<const char> bytes) {
        back.append(bytes.data(), bytes.size());
        return true;
    }));
    QVERIFY(back == content);
}

/// Its reader skips what a header announces, also past the end of the file.
void TestArtifactStore::refusesAPlainTarThatIsCutOff()
{
    World world;
    const auto run = world.queue(plan({stage("Build", {job("A")})}));
    const std::string whole =
        tarOf({{"a", std::string(3000, '\0')}, {"b", std::string(700, 'b')}}, false);
    for (std::size_t length = 0; length < whole.size(); length += 128) {
        const auto artifact = upload(world, run, "drop", whole.substr(0, length));
        QVERIFY2(!artifact, std::to_string(length).c_str());
        QCOMPARE(int(artifact.error().code), int(ErrorCode::InvalidArgument));
    }
    QVERIFY(upload(world, run, "drop", whole));
}

/// As the server's stream of a request does when the connection ends (server/http/paced_body.h).
void TestArtifactStore::refusesABodyThatBreaksOff()
{
    struct Breaking : std::stringbuf
    {
        using std::stringbuf::stringbuf;

        std::streamsize xsgetn(char *into, std::streamsize wanted) override
        {
            const auto got = std::stringbuf::xsgetn(into, wanted);
            if (got < wanted)
                throw std::runtime_error("the connection ended");
            return got;
        }
    };

    World world;
    const auto run = world.queue(plan({stage("Build", {job("A")})}));
    Breaking source(tarOf({{"a", "1"}}));
    std::istream body(&source);
    auto incoming = world.artifacts->begin(run, "drop", "").value();
    const auto received = incoming.receive(body);
    QVERIFY(!received);
    QVERIFY(received.error().message.find("ended early") != std::string::npos);
}

void TestArtifactStore::refuses_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("says");
    const auto row = [](const char *name, const std::string &bytes, const char *says) {
        QTest::addRow("%s", name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()))
                                  << QString::fromUtf8(says);
    };
    row("text", std::string(5000, 'x'), "no tar");
    row("cut off", tarOf({{"a", std::string(500'000, 'x')}}).substr(0, 30), "no tar");
    row("absolute", tarOf({{"/etc/passwd", "x"}}), "absolute");
    row("parent", tarOf({{"a/../../b", "x"}}), "leaves");
    row("link", tarOf({{"link", "", AE_IFLNK}}), "neither a file nor a folder");
}

void TestArtifactStore::refuses()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, says);
    World world;
    const auto run = world.queue(plan({stage("Build", {job("A")})}));
    const auto artifact = upload(world, run, "drop", bytes.toStdString());
    QVERIFY(!artifact);
    QVERIFY2(artifact.error().message.find(says.toStdString()) != std::string::npos,
             artifact.error().message.c_str());
    QVERIFY(world.artifacts->list(run)->empty());
    QCOMPARE(filesBelow(world, "incoming"), 0U);
}

void TestArtifactStore::refusesNames_data()
{
    QTest::addColumn<QString>("name");
    for (const char *name : {"", ".", "..", "a/b", "a\\b", "a:b", "a\nb", "a?", "a*"})
        QTest::addRow("%s", QByteArray(name).toPercentEncoding().prepend('=').constData()) << name;
    QTest::addRow("long") << QString(256, QLatin1Char('x'));
}

void TestArtifactStore::refusesNames()
{
    QFETCH(QString, name);
    World world;
    QVERIFY(!world.artifacts->begin(1, name.toStdString(), ""));
}

void TestArtifactStore::showsNothingOfAnInterruptedUpload()
{
    World world;
    const auto run = world.queue(plan({stage("Build", {job("A")})}));
    {
        auto incoming = world.artifacts->begin(run, "drop", "").value();
        std::istringstream half("half");
        QVERIFY(incoming.receive(half));
        QCOMPARE(filesBelow(world, "incoming"), 1U);
    }
    QCOMPARE(filesBelow(world, "incoming"), 0U);
    QVERIFY(world.artifacts->list(run)->empty());
    // After a crash the remains go at the next start.
    std::ofstream(world.dir.path().toStdString() + "/artifacts/incoming/left") << "x";
    world.restart();
    QCOMPARE(filesBelow(world, "incoming"), 0U);
}

void TestArtifactStore::repeatsAreHarmless()
{
    World world;
    const auto run = world.queue(plan({stage("Build", {job("A")})}));
    const std::string bytes = tarOf({{"a", "1"}});
    const auto first = upload(world, run, "drop", bytes);
    const auto second = upload(world, run, "drop", bytes);
    QVERIFY(first && second);
    QCOMPARE(first->id, second->id);
    QCOMPARE(int(upload(world, run, "drop", tarOf({{"a", "2"}})).error().code),
             int(ErrorCode::AlreadyExists));
    QVERIFY(world.artifacts->entries(*second));
}

void TestArtifactStore::sharesEqualContent()
{
    World world;
    const auto run = world.queue(plan({stage("Build", {job("A")})}));
    const std::string bytes = tarOf({{"a", "1"}});
    QVERIFY(upload(world, run, "one", bytes));
    QVERIFY(upload(world, run, "two", bytes));
    QCOMPARE(filesBelow(world, "blobs"), 1U);
    QCOMPARE(world.artifacts->list(run)->size(), 2U);
}

void TestArtifactStore::laterAttemptsReplaceTheirOwn()
{
    using namespace std::chrono_literals;
    World world;
    const auto run = world.queue(plan({stage("Build", {job("A")})}));
    const auto first = upload(world, run, "drop", tarOf({{"a", "1"}}));
    QVERIFY(upload(world, run, "other", tarOf({{"a", "1"}}))); // the content has two names
    const auto later = first->createdAt + 1ms;
    const auto refused = [&](const std::string &record, schema::TimePoint since) {
        const auto answer = upload(world, run, "drop", tarOf({{"a", "2"}}), record, since);
        return !answer && answer.error().code == ErrorCode::AlreadyExists;
    };
    QVERIFY(refused("another job", later));
    QVERIFY(refused("record", first->createdAt)); // twice in one attempt
    QVERIFY(refused("record", {}));
    const auto second = upload(world, run, "DROP", tarOf({{"b", "22"}}), "record", later);
    QVERIFY2(second, second ? "" : second.error().message.c_str());
    QCOMPARE(second->id, first->id);
    QCOMPARE(world.artifacts->list(run)->size(), 2U);
    const auto found = world.artifacts->find(run, "drop");
    QVERIFY(found && found->sha256 == second->sha256 && found->size == 2);
    QCOMPARE(world.artifacts->entries(*found)->front().path, std::string("b"));
    // The content that lost one of its two names is still there; the next one takes the last.
    QVERIFY(world.artifacts->blobPath(*world.artifacts->find(run, "other")));
    const auto before = filesBelow(world, "blobs");
    QVERIFY(upload(world, run, "other", tarOf({{"c", "3"}}), "record", later + 1h));
    QCOMPARE(filesBelow(world, "blobs"), before);
    world.restart();
    QCOMPARE(world.artifacts->find(run, "drop")->sha256, second->sha256);
}

/// As a person sees it: the stage is retried, and its job publishes under the same name.
void TestArtifactStore::retriedJobPublishesAgain()
{
    World world;
    const auto ann = world.addIdentity("Ann");
    const auto worker = world.addWorker("w1");
    world.connect(worker);
    const auto run = world.queue(plan({stage("Build", {job("A")})}));
    const auto publish = [&](const schema::protocol::JobMessage &message, const char *content) {
        std::istringstream body(tarOf({{"a", content}}));
        auto incoming = world.jobs->beginArtifact(message.jobId, message.jobToken, "drop");
        return incoming && incoming->receive(body) ? incoming->finish()
                                                   : schema::Result<Artifact>(incoming.error());
    };
    const auto first = world.accept(worker);
    QVERIFY(publish(first, "1"));
    QVERIFY(publish(first, "1")); // a repeat
    QVERIFY(!publish(first, "2"));
    world.complete(worker, first, schema::TaskResult::Failed);
    QVERIFY(world.runs->retryStage(run, "Build", false, ann));
    const auto second = world.accept(worker);
    QCOMPARE(second.attempt, 2);
    const auto replaced = publish(second, "second attempt");
    QVERIFY2(replaced, replaced ? "" : replaced.error().message.c_str());
    QCOMPARE(world.artifacts->find(run, "drop")->size, 14U);
}

QTEST_GUILESS_MAIN(TestArtifactStore)
#include "tst_artifact_store.moc"
