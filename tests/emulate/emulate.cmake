# QUOLL_EMULATE: the x86 code compiled over tests/emulate/include/immintrin.h. The sources are copied into the build tree
# without their target attributes, since the emulation needs no more than AVX2; nothing else about them changes, but for
# empty assembly that pins a vector register ("+v"), which 512-bit vectors do not have here.
file(GLOB x86_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} crypto/x86/*.h crypto/x86/*.cc)
list(REMOVE_ITEM x86_files crypto/x86/cpuid.cc)
set(native_sources tests/emulate/cpuid.cc)
foreach(file ${x86_files})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
  file(READ ${file} text)
  string(REGEX REPLACE "target\\([^)]*\\)" "unused" text "${text}")
  string(REPLACE "\"+v\"" "\"+m\"" text "${text}")
  set(copy ${CMAKE_BINARY_DIR}/emulated/${file})
  file(CONFIGURE OUTPUT ${copy} CONTENT "${text}" @ONLY)
  if(file MATCHES "\\.cc$")
    list(APPEND native_sources ${copy})
  endif()
endforeach()
include_directories(BEFORE ${CMAKE_SOURCE_DIR}/tests/emulate/include ${CMAKE_BINARY_DIR}/emulated)
add_compile_options(-mavx2 -mbmi -mbmi2 -madx -maes -mpclmul -Wno-psabi -Wno-ignored-attributes -Wno-attributes)
