// Keeps the library non-empty until its first class lands.
namespace server::store {}
