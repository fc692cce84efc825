/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects that live as long as someone holds them, and handles.
 *
 * The count stands in front of the object.  A HANDLE is the object's address
 * and a reference on it; ZwClose() gives the reference back.  A handle is
 * trusted and not looked up: only kernel code has one.
 */
#ifndef _KMCL_NT_OB_OBJECT_H
#define _KMCL_NT_OB_OBJECT_H

#include <linux/refcount.h>
#include <linux/slab.h>

#include <ke-irql.h>

typedef ULONG ACCESS_MASK;
typedef struct _OBJECT_TYPE *POBJECT_TYPE;
typedef struct _OBJECT_ATTRIBUTES *POBJECT_ATTRIBUTES;
typedef struct _OBJECT_HANDLE_INFORMATION *POBJECT_HANDLE_INFORMATION;

struct kmcl_nt_object {
	refcount_t refs;
	/* Before the memory goes; NULL: there is nothing to do. */
	void (*release)(void *body);
	/* Windows' object bodies are aligned to 16 bytes. */
	u8 body[] __aligned(16);
};

static inline void *kmcl_nt_object_new(size_t size)
{
	struct kmcl_nt_object *o = kzalloc(struct_size(o, body, size), GFP_KERNEL);

	if (!o)
		return NULL;
	refcount_set(&o->refs, 1);
	return o->body;
}

static inline struct kmcl_nt_object *kmcl_nt_object(void *body)
{
	return container_of(body, struct kmcl_nt_object, body);
}

static inline VOID ObReferenceObject(PVOID Object)
{
	refcount_inc(&kmcl_nt_object(Object)->refs);
}

static inline VOID ObDereferenceObject(PVOID Object)
{
	struct kmcl_nt_object *o = kmcl_nt_object(Object);

	if (!refcount_dec_and_test(&o->refs))
		return;
	if (o->release)
		o->release(Object);
	kfree(o);
}

/* The parameters between @Handle and @Object are about access checks. */
static inline NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
						 POBJECT_TYPE ObjectType,
						 KPROCESSOR_MODE AccessMode, PVOID *Object,
						 POBJECT_HANDLE_INFORMATION HandleInformation)
{
	ObReferenceObject(Handle);
	*Object = Handle;
	return STATUS_SUCCESS;
}

static inline NTSTATUS ZwClose(HANDLE Handle)
{
	ObDereferenceObject(Handle);
	return STATUS_SUCCESS;
}

#endif /* _KMCL_NT_OB_OBJECT_H */
