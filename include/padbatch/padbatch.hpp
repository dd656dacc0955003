#ifndef PADBATCH_PADBATCH_HPP
#define PADBATCH_PADBATCH_HPP

#include <padbatch/contract.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/error.hpp>
#include <padbatch/extents.hpp>
#include <padbatch/version.hpp>

#endif
