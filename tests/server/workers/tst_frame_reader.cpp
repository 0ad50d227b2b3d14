// The WebSocket reader against RFC 6455: whole, byte by byte, fragmented, and against what a
// hostile peer sends.
#include "server/workers/frame_reader.h"

#include <QTest>

#include <random>

using namespace server::workers;

namespace {

std::string masked(unsigned char first, const std::string &payload, bool mask = true)
{
    std::string frame{static_cast<char>(first)};
    const unsigned char bit = mask ? 0x80 : 0;
    if (payload.size() < 126) {
        frame += static_cast<char>(bit | payload.size());
    } else if (payload.size() < 65536) {
        frame += static_cast<char>(bit | 126U);
        frame += static_cast<char>(payload.size() >> 8U);
        frame += static_cast<char>(payload.size() & 0xffU);
    } else {
        frame += static_cast<char>(bit | 127U);
        for (int i = 7; i >= 0; --i)
            frame += static_cast<char>(payload.size() >> (8U * static_cast<unsigned>(i)) & 0xffU);
    }
    const std::string key = mask ? "\x12\x34\x56\x78" : "";
    frame += key;
    for (std::size_t i = 0; i < payload.size(); ++i)
        frame += mask ? static_cast<char>(payload[i] ^ key[i % 4]) : payload[i];
    return frame;
}

} // namespace

class TestFrameReader : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void reads_data();
    void reads();
    void refuses_data();
    void refuses();
    void joinsFragmentsAroundAPing();
    void survivesRandomBytes();
    void writes();
};

void TestFrameReader::reads_data()
{
    QTest::addColumn<int>("size");
    for (const int size : {0, 1, 125, 126, 127, 65535, 65536, 100000})
        QTest::addRow("%d bytes", size) << size;
}

void TestFrameReader::reads()
{
    QFETCH(int, size);
    std::string payload(static_cast<std::size_t>(size), 'x');
    for (std::size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<char>('a' + i % 26);
    const std::string bytes = masked(0x81, payload) + masked(0x81, "next");
    for (const std::size_t step : {bytes.size(), std::size_t{1}, std::size_t{7}}) {
        FrameReader reader(1U << 20U);
        std::vector<Message> messages;
        for (std::size_t at = 0; at < bytes.size(); at += step)
            QVERIFY(reader.feed(std::string_view(bytes).substr(at, step), messages));
        QCOMPARE(messages.size(), 2U);
        QVERIFY(messages[0].opcode == Opcode::Text && messages[0].payload == payload);
        QCOMPARE(messages[1].payload, std::string("next"));
    }
}

void TestFrameReader::refuses_data()
{
    QTest::addColumn<QByteArray>("bytes");
    const auto row = [](const char *name, const std::string &bytes) {
        QTest::addRow("%s", name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()));
    };
    row("unmasked", masked(0x81, "hello", false));
    row("reserved bit", masked(0xc1, "hello"));
    row("unknown opcode", masked(0x83, "hello"));
    row("fragmented ping", masked(0x09, "x"));
    row("long ping", masked(0x89, std::string(126, 'x')));
    row("continuation of nothing", masked(0x80, "x"));
    row("message inside another", masked(0x01, "a") + masked(0x81, "b"));
    row("too long", std::string("\x81\xff\0\0\0\0\0\1\0\1", 10));
    row("absurd length", std::string("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10));
    row("too long in pieces",
        masked(0x01, std::string(40000, 'x')) + masked(0x80, std::string(40000, 'x')));
}

void TestFrameReader::refuses()
{
    QFETCH(QByteArray, bytes);
    FrameReader reader(65536);
    std::vector<Message> messages;
    QVERIFY(!reader.feed({bytes.constData(), static_cast<std::size_t>(bytes.size())}, messages));
}

void TestFrameReader::joinsFragmentsAroundAPing()
{
    FrameReader reader(1024);
    std::vector<Message> messages;
    QVERIFY(reader.feed(masked(0x01, "one ") + masked(0x89, "p") + masked(0x00, "two ") +
                            masked(0x80, "three"),
                        messages));
    QCOMPARE(messages.size(), 2U);
    QVERIFY(messages[0].opcode == Opcode::Ping && messages[0].payload == "p");
    QVERIFY(messages[1].opcode == Opcode::Text && messages[1].payload == "one two three");
}

void TestFrameReader::survivesRandomBytes()
{
    std::mt19937 random(42);
    for (int round = 0; round < 2000; ++round) {
        FrameReader reader(4096);
        std::vector<Message> messages;
        for (int chunk = 0; chunk < 20; ++chunk) {
            std::string bytes(random() % 300, '\0');
            for (char &c : bytes)
                c = static_cast<char>(random());
            if (!reader.feed(bytes, messages))
                break;
        }
        for (const Message &message : messages)
            QVERIFY(message.payload.size() <= 4096);
    }
}

void TestFrameReader::writes()
{
    QCOMPARE(encodeFrame(Opcode::Text, "hi"), std::string("\x81\x02hi"));
    QCOMPARE(encodeFrame(Opcode::Text, std::string(200, 'x')).substr(0, 4),
             std::string("\x81\x7e\0\xc8", 4));
    QCOMPARE(encodeFrame(Opcode::Text, std::string(70000, 'x')).substr(0, 10),
             std::string("\x81\x7f\0\0\0\0\0\x01\x11\x70", 10));
    QCOMPARE(encodeClose(1008, std::string(500, 'r')).size(), 127U);
}

QTEST_GUILESS_MAIN(TestFrameReader)
#include "tst_frame_reader.moc"
