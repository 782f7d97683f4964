// The version of Quoll (https://semver.org/): the one place that names it. The build reads it from here.
#pragma once

namespace quoll {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace quoll
