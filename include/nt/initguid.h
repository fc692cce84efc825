/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From here on DEFINE_GUID defines the GUID instead of declaring it.
 *
 * No include guard around the switch: <guiddef.h> may have been read before.
 */
#ifndef INITGUID
#define INITGUID
#endif

#include <guiddef.h>
