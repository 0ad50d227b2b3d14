#include "server/store/new_database.h"

#include "server/store/durable_file.h"

#include <sqlite3.h>
#include <zstd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace server::store {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

constexpr std::uint8_t kPacked[] = {
#include "schema/sql/new_database.inc"
};

/// Write and read version of the file format: how its journal works (sqlite.org/fileformat2.html,
/// section 1.3.3).
constexpr std::size_t kVersionPlaces[] = {18, 19};
constexpr unsigned char kRollback = 1;
constexpr unsigned char kWriteAhead = 2;

/// Bytes in SQLite's own memory, which a connection may take over.
using Bytes = std::unique_ptr<unsigned char, decltype(&sqlite3_free)>;

struct Image
{
    Bytes bytes;
    std::size_t size;
};

Result<Image> unpacked(unsigned char version)
{
    const auto size = static_cast<std::size_t>(ZSTD_getFrameContentSize(kPacked, sizeof kPacked));
    Bytes bytes(static_cast<unsigned char *>(sqlite3_malloc64(size)), &sqlite3_free);
    if (!bytes || ZSTD_decompress(bytes.get(), size, kPacked, sizeof kPacked) != size)
        return {ErrorCode::Internal, "the database in this program cannot be unpacked"};
    for (const std::size_t place : kVersionPlaces)
        bytes.get()[place] = version;
    return Image{std::move(bytes), size};
}

} // namespace

Status makeNewDatabase(const std::filesystem::path &file)
{
    ASSIGN_OR_RETURN(const auto image, unpacked(kWriteAhead));
    const auto *text = reinterpret_cast<const char *>(image.bytes.get());
    return writeDurably(file, {text, image.size});
}

Status loadNewDatabase(sqlite3 *connection)
{
    ASSIGN_OR_RETURN(auto image, unpacked(kRollback));
    const auto size = static_cast<sqlite3_int64>(image.size);
    // It frees the bytes also when it fails.
    const int code =
        sqlite3_deserialize(connection, "main", image.bytes.release(), size, size,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
    if (code != SQLITE_OK)
        return {ErrorCode::Internal, std::string("the database in this program cannot be used: ") +
                                         sqlite3_errmsg(connection)};
    return {};
}

} // namespace server::store
