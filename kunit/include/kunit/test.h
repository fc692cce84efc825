/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites use of KUnit and 6.1 has not. A failing comparison says less
 * there, nothing else differs.
 */
#ifndef _KMCL_UML_KUNIT_TEST_H
#define _KMCL_UML_KUNIT_TEST_H

#include_next <kunit/test.h>

#ifndef KUNIT_ARRAY_PARAM_DESC
#define KUNIT_ARRAY_PARAM_DESC(name, array, desc_member)					\
	static inline void name##_desc(typeof(&(array)[0]) param, char *desc)			\
	{											\
		strscpy(desc, param->desc_member, KUNIT_PARAM_DESC_SIZE);			\
	}											\
	KUNIT_ARRAY_PARAM(name, array, name##_desc)
#endif

#ifndef KUNIT_EXPECT_MEMEQ
#define KUNIT_EXPECT_MEMEQ(test, left, right, size)						\
	KUNIT_EXPECT_EQ_MSG(test, memcmp(left, right, size), 0,				\
			    "%s is not as %s", #left, #right)
#endif

#ifndef KUNIT_FAIL_AND_ABORT
#define KUNIT_FAIL_AND_ABORT(test, fmt, ...)							\
	KUNIT_ASSERT_FAILURE(test, fmt, ##__VA_ARGS__)
#endif

#ifndef KUNIT_CASE_SLOW
#define KUNIT_CASE_SLOW(test_name)	KUNIT_CASE(test_name)
#endif

#endif
