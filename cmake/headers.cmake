# The library's headers as others include them, <quoll/quic/endpoint/endpoint.h>, in the build tree's include/ and from there
# to where the library is installed. In the tree they include each other from its root ("base/net.h"), which is the name of
# something in many a project; what is exported includes relative to the header itself, so that neither the order of include
# directories nor another installed version can come between.
set(QUOLL_HEADER_FOLDERS base crypto os tls quic qlog http qpack h3 udp web)

if(CMAKE_SCRIPT_MODE_FILE)  # cmake -DSOURCE=… -DDESTINATION=… -P headers.cmake
  file(GLOB_RECURSE exported RELATIVE ${DESTINATION} ${DESTINATION}/*.h)
  foreach(header ${exported})
    if(NOT EXISTS ${SOURCE}/${header})
      file(REMOVE ${DESTINATION}/${header})
    endif()
  endforeach()
  list(JOIN QUOLL_HEADER_FOLDERS "|" folders)
  foreach(folder ${QUOLL_HEADER_FOLDERS})
    file(GLOB_RECURSE headers RELATIVE ${SOURCE} ${SOURCE}/${folder}/*.h)
    list(FILTER headers EXCLUDE REGEX "^crypto/(portable|x86|arm)/")
    foreach(header ${headers})
      file(READ ${SOURCE}/${header} text)
      get_filename_component(place ${header} DIRECTORY)
      string(REGEX REPLACE "[^/]+" ".." up ${place})
      string(REGEX REPLACE "#include \"((${folders})/[^\"]+)\"" "#include \"${up}/\\1\"" text "${text}")
      set(before "")
      if(EXISTS ${DESTINATION}/${header})
        file(READ ${DESTINATION}/${header} before)
      endif()
      if(NOT text STREQUAL before)
        file(WRITE ${DESTINATION}/${header} "${text}")
      endif()
    endforeach()
  endforeach()
  return()
endif()

set(QUOLL_INCLUDE ${PROJECT_BINARY_DIR}/include)
list(TRANSFORM QUOLL_HEADER_FOLDERS APPEND "/*.h" OUTPUT_VARIABLE patterns)
file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${patterns})
add_custom_command(OUTPUT ${QUOLL_INCLUDE}/stamp
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DDESTINATION=${QUOLL_INCLUDE}/quoll
    -P ${CMAKE_CURRENT_LIST_FILE}
  COMMAND ${CMAKE_COMMAND} -E touch ${QUOLL_INCLUDE}/stamp
  DEPENDS ${headers} ${CMAKE_CURRENT_LIST_FILE}
  COMMENT "Headers as others include them")
add_custom_target(quoll_headers DEPENDS ${QUOLL_INCLUDE}/stamp)
foreach(library ${modules} quoll)
  add_dependencies(${library} quoll_headers)  # whoever links one waits for them
  target_include_directories(${library} INTERFACE $<BUILD_INTERFACE:${QUOLL_INCLUDE}>)
endforeach()
