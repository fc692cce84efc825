// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit of 6.1 runs the suites of a module while it is being loaded, before
 * sysfs knows it: no driver can be registered then. This hides them until the
 * module is live, which is when later kernels run them.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include "compat.h"
#include "internal.h"

#if HVSIM_KUNIT_IS_EARLY

/* One module is loaded at a time: init does nothing else. */
static struct module *loading;
static int hidden;

static int module_event(struct notifier_block *block, unsigned long event, void *data)
{
	struct module *mod = data;

	switch (event) {
	case MODULE_STATE_COMING:
		if (loading || !mod->num_kunit_suites)
			break;
		loading = mod;
		hidden = mod->num_kunit_suites;
		mod->num_kunit_suites = 0;
		break;
	case MODULE_STATE_LIVE:
		if (mod != loading)
			break;
		loading = NULL;
		mod->num_kunit_suites = hidden;
		__kunit_test_suites_init(mod->kunit_suites, hidden);
		break;
	case MODULE_STATE_GOING:
		if (mod == loading)
			loading = NULL;
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block module_block = {
	.notifier_call = module_event,
	.priority = INT_MAX,		/* before KUnit's own */
};

int hvsim_suites_init(void)
{
	return register_module_notifier(&module_block);
}

void hvsim_suites_exit(void)
{
	unregister_module_notifier(&module_block);
}

#else

int hvsim_suites_init(void)
{
	return 0;
}

void hvsim_suites_exit(void)
{
}

#endif
