// What runs measured, for people and for programs: a table of scenarios and controllers, and JSON with the samples.
#pragma once

#include <cstdio>
#include <span>
#include <string>

#include "tests/lab/run.h"

namespace quoll::lab {

void print_table_head(std::FILE* to);
/// One line: a scenario with a controller.
void print_table_row(std::FILE* to, const RunResult& result);

/// False when the file cannot be written.
bool write_json(const std::string& path, std::span<const RunResult> results);

}  // namespace quoll::lab
