// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A node enters the tree through the field that the tree is declared to link by. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "expect.h"

#define LINKS_BY(field) __attribute__((btf_decl_tag("contains:" field)))

typedef bool (*less_fn)(struct bpf_rb_node *a, const struct bpf_rb_node *b);

void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node, less_fn less,
			void *meta, __u64 offset) __ksym;

struct item {
	struct bpf_rb_node by_age;
	struct bpf_rb_node by_size;
};

struct bpf_spin_lock tree_lock SEC(".data.tree");
struct bpf_rb_root tree SEC(".data.tree") LINKS_BY("item:by_age");

/* Keep the order of insertion. */
static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return false;
}

EXPECT_REJECT("but expected bpf_rb_node at offset=0 in struct item")
EXPECT_AT("bpf_rbtree_add_impl(&tree, &item->by_size, less, 0, 0);")
SEC("?tc")
int graph_ownership_bad(struct __sk_buff *ctx)
{
	struct item *item = bpf_obj_new_impl(bpf_core_type_id_local(struct item), 0);

	if (!item)
		return 0;
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&tree, &item->by_size, less, 0, 0);
	bpf_spin_unlock(&tree_lock);
	return 0;
}

SEC("?tc")
int graph_ownership_good(struct __sk_buff *ctx)
{
	struct item *item = bpf_obj_new_impl(bpf_core_type_id_local(struct item), 0);

	if (!item)
		return 0;
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&tree, &item->by_age, less, 0, 0);
	bpf_spin_unlock(&tree_lock);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
