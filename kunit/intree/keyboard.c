// SPDX-License-Identifier: GPL-2.0
#include "input/serio/hyperv-keyboard.c"
