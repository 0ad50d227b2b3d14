#pragma once
/// GUIDs in the lower-case 8-4-4-4-12 text form. Timeline record ids are name-based so that a
/// record keeps its id across attempts and restarts (environments-and-portal D5).

#include <string>
#include <string_view>

namespace schema {

/// Random (version 4) GUID from the system's random source.
std::string randomGuid();
/// Name-based (version 5 layout) GUID: equal input gives equal output on every machine.
std::string nameGuid(std::string_view space, std::string_view name);
/// True for the 36-character text form, any case.
bool isGuid(std::string_view text);

} // namespace schema
