// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_VERSION_HPP
#define PADBATCH_VERSION_HPP

// The one place that holds the version; CMakeLists.txt reads these three lines.
#define PADBATCH_VERSION_MAJOR 0
#define PADBATCH_VERSION_MINOR 2
#define PADBATCH_VERSION_PATCH 0

#define PADBATCH_DETAIL_TEXT_(x) #x
#define PADBATCH_DETAIL_TEXT(x) PADBATCH_DETAIL_TEXT_(x)

/// The version as text, `"MAJOR.MINOR.PATCH"`.
#define PADBATCH_VERSION                                                                                               \
    PADBATCH_DETAIL_TEXT(PADBATCH_VERSION_MAJOR)                                                                       \
    "." PADBATCH_DETAIL_TEXT(PADBATCH_VERSION_MINOR) "." PADBATCH_DETAIL_TEXT(PADBATCH_VERSION_PATCH)

#endif
