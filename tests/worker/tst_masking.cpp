// Masking: whole, byte by byte and at every split point.
#include "worker/base/text.h"
#include "worker/mask/masker.h"

#include <QTest>

#include <algorithm>

using namespace worker;

class TestMasking : public QObject
{
    Q_OBJECT

private Q_SLOTS:

    void masks_data()
    {
        QTest::addColumn<QStringList>("secrets");
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("masked");
        const auto row = [](const char *name, const QStringList &secrets, const QByteArray &text,
                            const QByteArray &masked) {
            QTest::newRow(name) << secrets << text << masked;
        };
        const QString pw = QStringLiteral("pa55word!");
        row("none", {}, "plain", "plain");
        row("exact", {pw}, "x pa55word! y", "x *** y");
        row("at both ends", {pw}, "pa55word!", "***");
        row("twice", {pw}, "pa55word! pa55word!", "*** ***");
        row("adjacent merge", {pw}, "pa55word!pa55word!", "***");
        row("no word boundary", {pw}, "xpa55word!y", "x***y");
        row("case matters", {pw}, "PA55WORD!", "PA55WORD!");
        row("prefix only", {pw}, "pa55word", "pa55word");
        row("restart inside", {QStringLiteral("aab")}, "aaab", "a***");
        row("overlap", {QStringLiteral("abcd"), QStringLiteral("cdef")}, "abcdef", "***");
        row("inner match first", {QStringLiteral("abcd"), QStringLiteral("bc")}, "abcd abce",
            "*** a***e");
        row("one character", {QStringLiteral("1")}, "a1b11c", "a***b***c");
        row("blank ignored", {QStringLiteral("  ")}, "a  b", "a  b");
        row("line of many", {QStringLiteral("first line\nsecond line\n}")}, "a second line b }",
            "a *** b }");
        row("trimmed", {QStringLiteral("secret-x\r\n")}, "=secret-x=", "=***=");
        row("quotes stripped", {QStringLiteral("\"secret-x\"")}, "secret-x", "***");
        row("base64", {pw}, "cGE1NXdvcmQh", "***");
        row("base64 in user:password", {pw},
            QByteArray::fromStdString(encodeBase64("user:pa55word!")), "dXNlcjp***");
        row("json", {QStringLiteral("a\"b\\c")}, "{\"k\":\"a\\\"b\\\\c\"}", "{\"k\":\"***\"}");
        row("url", {QStringLiteral("a b/c&d")}, "q=a%20b%2Fc%26d", "q=***");
        row("form", {QStringLiteral("a b/c&d")}, "q=a+b%2Fc%26d", "q=***");
        row("shell", {QStringLiteral("it's")}, "echo 'it'\\''s'", "echo '***'");
        row("utf-8", {QStringLiteral("größe")}, "die größe!", "die ***!");
    }

    void masks()
    {
        QFETCH(QStringList, secrets);
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, masked);
        Masker masker;
        for (const QString &secret : secrets)
            masker.add(secret.toStdString());
        const std::string input = text.toStdString();
        QCOMPARE(QByteArray::fromStdString(masker.mask(input)), masked);

        std::string byBytes;
        MaskStream stream(masker);
        for (const char c : input)
            stream.feed({&c, 1}, byBytes);
        stream.finish(byBytes);
        QCOMPARE(QByteArray::fromStdString(byBytes), masked);

        for (std::size_t first = 0; first <= input.size(); ++first) {
            for (std::size_t second = first; second <= input.size(); ++second) {
                std::string out;
                MaskStream split(masker);
                split.feed(std::string_view(input).substr(0, first), out);
                split.feed(std::string_view(input).substr(first, second - first), out);
                split.feed(std::string_view(input).substr(second), out);
                split.finish(out);
                QCOMPARE(QByteArray::fromStdString(out), masked);
            }
        }
    }

    /// Against a slow and obvious implementation, on texts made of few letters so that overlaps
    /// abound.
    void agreesWithTheObviousWay()
    {
        std::uint32_t seed = 12345;
        const auto random = [&seed](std::uint32_t below) {
            seed = seed * 1664525U + 1013904223U;
            return (seed >> 16U) % below;
        };
        const auto randomText = [&random](std::size_t length, std::uint32_t letters) {
            std::string text;
            while (text.size() < length)
                text += static_cast<char>('a' + random(letters));
            return text;
        };
        for (int round = 0; round < 2000; ++round) {
            Masker masker;
            MaskStream stream(masker);
            std::vector<std::string> forms;
            // Secrets come one by one, with output in between: each adds to the automaton there is.
            for (std::uint32_t i = 0; i < 1 + random(4); ++i) {
                const auto secret = randomText(1 + random(round % 2 == 0 ? 5 : 12), 3);
                masker.add(secret);
                for (auto &form : secretForms(secret))
                    forms.push_back(form);
                const auto text = randomText(random(60), 3);
                std::vector<bool> flags(text.size() + 1, false);
                for (const auto &form : forms) {
                    for (std::size_t at = text.find(form); at != std::string::npos;
                         at = text.find(form, at + 1))
                        for (std::size_t k = at; k < at + form.size(); ++k)
                            flags[k] = true;
                }
                std::string expected;
                for (std::size_t k = 0; k < text.size(); ++k) {
                    if (!flags[k])
                        expected += text[k];
                    else if (k == 0 || !flags[k - 1])
                        expected += "***";
                }
                QCOMPARE(masker.mask(text), expected);
                std::string out;
                const auto split = random(static_cast<std::uint32_t>(text.size()) + 1);
                stream.feed(std::string_view(text).substr(0, split), out);
                stream.feed(std::string_view(text).substr(split), out);
                stream.finish(out);
                QCOMPARE(out, expected);
            }
        }
    }

    /// In whatever order the secrets come, and whether they come before the text or while it runs.
    void orderOfSecretsChangesNothing()
    {
        std::vector<std::string> secrets{"abcab", "cabx",    "b",      "bcabxyz-long", "xyz-l",
                                         "ab",    "abcabxx", "zz-top", "abcabcabcabc", "q"};
        const std::string text =
            "abcabxyz-long abcabcabcabcabx zz-to zz-top bqb caxyz-lo ABCAB abcabx cab";
        Masker all;
        for (const auto &secret : secrets)
            all.add(secret);
        const auto expected = all.mask(text);
        std::sort(secrets.begin(), secrets.end());
        for (int round = 0; round < 500; ++round) {
            std::rotate(secrets.begin(), secrets.begin() + 1 + round % 7, secrets.end());
            std::next_permutation(secrets.begin(), secrets.end());
            Masker masker;
            for (const auto &secret : secrets)
                masker.add(secret);
            QCOMPARE(masker.mask(text), expected);
            for (const auto &secret : secrets)
                masker.add(secret); // known ones change nothing
            QCOMPARE(masker.mask(text), expected);
        }
    }

    /// A secret that comes in the middle of a text is masked from there on, and the text goes on.
    void secretsComeWhileATextRuns()
    {
        const std::string text = "pa55word! other-one pa55word! other-one pa55";
        for (std::size_t split = 0; split <= text.size(); ++split) {
            Masker masker;
            masker.add("pa55word!");
            MaskStream stream(masker);
            std::string out;
            stream.feed(std::string_view(text).substr(0, split), out);
            masker.add("other-one");
            stream.feed(std::string_view(text).substr(split), out);
            stream.finish(out);
            // What began before it is known is not found; everything else is.
            const std::string expected = std::string("*** ") + (split <= 10 ? "***" : "other-one") +
                                         " *** " + (split <= 30 ? "***" : "other-one") + " pa55";
            QCOMPARE(out, expected);
        }
    }

    void thousandsOfSecrets()
    {
        Masker masker;
        std::string text;
        std::string expected;
        for (int i = 0; i < 5000; ++i) {
            const auto secret = "secret-" + encodeBase64(std::to_string(i * 7919));
            masker.add(secret);
            text += secret + " plain" + std::to_string(i) + " ";
            expected += "*** plain" + std::to_string(i) + " ";
        }
        QCOMPARE(masker.mask(text), expected);
    }

    void noFormLeaksTheSecret()
    {
        const std::string secret = "K3y/with+odd \"chars\" 'and' $more\\";
        Masker masker;
        masker.add(secret);
        for (const auto &form : secretForms(secret))
            QCOMPARE(masker.mask("<" + form + ">"), std::string("<***>"));
        for (std::size_t before = 0; before < 4; ++before) {
            const auto encoded = encodeBase64(std::string(before, 'x') + secret + "tail");
            QVERIFY(masker.mask(encoded).size() < encoded.size() - 30);
        }
    }

    void longRunsAreBounded()
    {
        Masker masker;
        masker.add(std::string(5000, 'a') + "b");
        MaskStream stream(masker);
        std::string out;
        const std::string piece(1U << 16U, 'a');
        for (int i = 0; i < 40; ++i)
            stream.feed(piece, out);
        QVERIFY(out.size() > 30 * piece.size());
        stream.finish(out);
        QCOMPARE(out.size(), 40 * piece.size());
    }

    void laterSecretsHoldForLaterTexts()
    {
        Masker masker;
        MaskStream stream(masker);
        std::string out;
        stream.feed("secret-x", out);
        stream.finish(out);
        masker.add("secret-x");
        stream.finish(out);
        stream.feed("secret-x", out);
        stream.finish(out);
        QCOMPARE(out, std::string("secret-x***"));
    }
};

QTEST_APPLESS_MAIN(TestMasking)
#include "tst_masking.moc"
