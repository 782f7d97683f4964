// What std::terminate does in the static program. The handler of libstdc++ names the exception that nobody caught, and brings
// a demangler of 50 KB along for that; here nothing throws but an allocation that fails.
#include <cstdlib>

namespace __gnu_cxx {
void __verbose_terminate_handler();
void __verbose_terminate_handler() { std::abort(); }
}  // namespace __gnu_cxx
