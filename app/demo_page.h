// The page of the demo site. It loads nothing from anywhere else.
#pragma once

#include <string_view>

namespace quoll::app {

extern const std::string_view kDemoPage;

}  // namespace quoll::app
