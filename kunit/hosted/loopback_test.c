// SPDX-License-Identifier: GPL-2.0
#include "end.h"
#undef END_SUITE
#define END_SUITE(name)	"hosted_" name
#include "../loopback/loopback_test.c"
