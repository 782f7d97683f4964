# What `make install` puts below its prefix, beside the program: archives, headers, a CMake package, pkg-config files. All of it
# can be moved: nothing in there names the prefix.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

foreach(library ${modules} quoll quoll_capi quoll_capi_static)
  target_include_directories(${library} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
install(TARGETS ${modules} quoll_h3 quoll quoll_capi_static quoll_capi EXPORT quoll-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY capi/include/quoll DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${QUOLL_INCLUDE}/quoll DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# The package. Before 1.0.0 a new minor version may break what stood before it (https://semver.org/#spec-item-4).
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/quoll)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
configure_file(cmake/quoll-config.cmake.in ${PROJECT_BINARY_DIR}/package/quoll-config.cmake COPYONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/quoll-config-version.cmake COMPATIBILITY ${compatibility})
install(FILES ${PROJECT_BINARY_DIR}/package/quoll-config.cmake ${PROJECT_BINARY_DIR}/package/quoll-config-version.cmake
  DESTINATION ${package_folder})
install(EXPORT quoll-targets NAMESPACE quoll:: DESTINATION ${package_folder})

# quoll_pkg_config(NAME DESCRIPTION … [REQUIRES packages…] LIBS flags… [PRIVATE flags…])
file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${up}")
function(quoll_pkg_config pc_name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION" "REQUIRES;LIBS;PRIVATE")
  set(pc_description "${arg_DESCRIPTION}")
  list(JOIN arg_REQUIRES " " pc_requires)
  list(JOIN arg_LIBS " " pc_libs)
  list(JOIN arg_PRIVATE " " pc_private)
  configure_file(cmake/quoll.pc.in ${PROJECT_BINARY_DIR}/package/${pc_name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/${pc_name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
quoll_pkg_config(quoll-quic DESCRIPTION "QUIC (RFC 9000), sans-IO, in C++23"
  LIBS -lquoll_quic -lquoll_tls -lquoll_x509 -lquoll_crypto -lquoll_base)
quoll_pkg_config(quoll-h3 DESCRIPTION "HTTP/3 (RFC 9114) servers and clients in C++23" REQUIRES quoll-quic
  LIBS -lquoll_web -lquoll_h3_quic -lquoll_h3_core -lquoll_qpack -lquoll_http -lquoll_qlog -lquoll_os -lquoll_udp
    ${CMAKE_THREAD_LIBS_INIT})
quoll_pkg_config(quoll DESCRIPTION "QUIC and HTTP/3 in C++23: all modules in one archive" LIBS -lquoll ${CMAKE_THREAD_LIBS_INIT})
# For C: the shared library needs nothing beside; with --static the archive, and what it stands on.
quoll_pkg_config(quoll-capi DESCRIPTION "QUIC and HTTP/3 for C" LIBS -lquoll_capi
  PRIVATE -lquoll -lstdc++ -lm ${CMAKE_THREAD_LIBS_INIT})
