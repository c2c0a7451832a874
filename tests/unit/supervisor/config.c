/* The configuration: every mistake is found, at its line; every value comes from where it should. */
#include "scratch.h"
#include "supervisor/config.h"

static struct scratch scratch;
static struct mistakes mistakes;

static void begin(void)
{
	static const char *const names[] = {"PORT", "MAX_STORAGE_MB", "SHARD_COUNT", "NODE_SHARDS"};
	for (unsigned i = 0; i < 4; i++)
		unsetenv(names[i]);
	scratch = scratch_make();
	scratch_write(&scratch, "warren.conf", 0644, "name = \"test\";\n");
}

static void end(void)
{
	mistakes_end(&mistakes);
	scratch_end(&scratch);
}

TestSuite(config, .init = begin, .fini = end);

static struct config *load(void)
{
	mistakes_end(&mistakes);
	return config_load(scratch.fd, "etc", &mistakes);
}

static bool said(const char *start, const char *word)
{
	for (unsigned i = 0; i < mistakes.count; i++)
		if (strncmp(mistakes.lines[i], start, strlen(start)) == 0 && strstr(mistakes.lines[i], word))
			return true;
	return false;
}

/* The only mistake in it is there, and names the word. */
static void assert_mistake(const char *start, const char *word)
{
	cr_assert_null(load());
	for (unsigned i = 0; i < mistakes.count; i++)
		cr_log_info("%s", mistakes.lines[i]);
	cr_assert_eq(mistakes.count, 1, "%u mistakes", mistakes.count);
	cr_assert(said(start, word), "not \"%s … %s\" but \"%s\"", start, word, mistakes.lines[0]);
}

static void node(unsigned number, const char *text)
{
	char name[32];
	snprintf(name, sizeof name, "node%u.conf", number);
	scratch_write(&scratch, name, 0644, text);
}

static const char *text_of(const struct config *config, uint16_t number, enum setting setting)
{
	const struct node_config *found = config_node(config, number);
	cr_assert_not_null(found);
	return found->values[setting].text;
}

/* What it names may be another's to write, or never end. */
Test(config, a_file_that_includes_another_is_a_mistake)
{
	scratch_write(&scratch, "more.conf", 0666, "quota_mb = 4096;\n");
	node(1, "tier = \"gold\";\n\t @include \"more.conf\"\n");
	assert_mistake("etc/node1.conf:2: ", "@include");
	node(1, "tier = \"gold\"; // no @include \"more.conf\"\n");
	struct config *config = load();
	cr_assert_not_null(config);
	config_free(&config);
	scratch_write(&scratch, "policy.conf", 0644, "version = 1;\n@include \"/dev/zero\"\n");
	assert_mistake("etc/policy.conf:2: ", "@include");
}

Test(config, a_machine_without_nodes_has_the_defaults)
{
	struct config *config = load();
	cr_assert_not_null(config);
	cr_assert_eq(config->count, 0);
	cr_assert_str_eq(config->values[SETTING_name].text, "test");
	cr_assert_str_eq(config->values[SETTING_host].text, "127.0.0.1");
	cr_assert_eq(config->values[SETTING_log_keep].number, 5);
	cr_assert_eq(config->without, 0);
	config_free(&config);
	cr_assert_null(config);
}

Test(config, a_node_that_says_nothing_gets_its_port_and_quota_from_number_and_tier)
{
	node(1, "");
	node(3, "tier = \"gold\";\n");
	struct config *config = load();
	cr_assert_not_null(config);
	cr_assert_eq(config->count, 2);
	cr_assert_str_eq(text_of(config, 1, SETTING_port), "5001");
	cr_assert_str_eq(text_of(config, 1, SETTING_quota_mb), "1024");
	cr_assert_str_eq(text_of(config, 3, SETTING_port), "5201");
	cr_assert_eq(config_node(config, 3)->values[SETTING_quota_mb].number, 4096);
	cr_assert_null(config_node(config, 2));
	config_free(&config);
}

Test(config, all_mistakes_of_all_files_are_shown_at_once)
{
	scratch_write(&scratch, "warren.conf", 0644,
		      "name = \"\";\nhost = \"localhost\";\n\nprot = 1;\nlog_keep = 99;\n");
	node(1,
	     "port = 70000;\nquota_mb = \"big\";\ntier = \"lead\";\n\n\nshards = \"9-3\";\nname = \"x\";\n");
	node(2, "port = 5001\nport = 5002;\n");
	cr_assert_null(load());
	cr_assert(said("etc/warren.conf:1: ", "name"));
	cr_assert(said("etc/warren.conf:2: ", "host"));
	cr_assert(said("etc/warren.conf:4: ", "did you mean port?"));
	cr_assert(said("etc/warren.conf:5: ", "log_keep is 99; it must be 1 to 30"));
	cr_assert(said("etc/node1.conf:1: ", "port is 70000"));
	cr_assert(said("etc/node1.conf:2: ", "quota_mb is a text in quotes; it must be a number"));
	cr_assert(said("etc/node1.conf:3: ", "bronze, silver, gold or platinum"));
	cr_assert(said("etc/node1.conf:6: ", "range 9-3"));
	cr_assert(said("etc/node1.conf:7: ", "whole machine"));
	cr_assert(said("etc/node2.conf:2: ", "duplicate"), "libconfig finds it");
	cr_assert_eq(mistakes.count, 10, "%u", mistakes.count);
}

Test(config, a_line_that_is_no_line_is_shown_where_it_is)
{
	node(1, "port = 5001;\n\n= 7;\n");
	assert_mistake("etc/node1.conf:3: ", "syntax error");
}

Test(config, a_missing_machine_file_is_a_mistake)
{
	cr_assert_eq(unlinkat(scratch.fd, "warren.conf", 0), 0);
	assert_mistake("etc/warren.conf: ", "create");
}

Test(config, two_nodes_cannot_have_one_port)
{
	node(1, "\nport = 6000;\n");
	node(2, "\n\nport = 6000;\n");
	assert_mistake("etc/node2.conf:3: ", "port 6000 of node 2 is node 1's");
}

Test(config, a_port_may_not_be_another_s_default_either)
{
	node(1, "port = 5101;\n");
	node(2, "");
	assert_mistake("etc/node2.conf: ", "5101");
}

Test(config, bounds_are_inclusive)
{
	node(1, "port = 1;\nquota_mb = 8;\nmax_blob_mb = 1024;\nshard_count = 65536;\nshards = \"65535\";\n");
	struct config *config = load();
	cr_assert_not_null(config);
	config_free(&config);
	node(1, "quota_mb = 7;\n");
	assert_mistake("etc/node1.conf:1: ", "8 to 4194304");
	node(1, "quota_mb = 4194305;\n");
	assert_mistake("etc/node1.conf:1: ", "8 to 4194304");
	node(1, "port = -1;\n");
	assert_mistake("etc/node1.conf:1: ", "-1");
	node(1, "quota_mb = 18446744073709551620L;\n");
	cr_assert_null(load());
	node(1, "port = 0;\n");
	assert_mistake("etc/node1.conf:1: ", "port is 0");
}

Test(config, memory_of_a_node_is_none_or_enough_to_live)
{
	scratch_write(&scratch, "warren.conf", 0644, "memory_mb = 512;\nstop_drain_s = 90;\n");
	node(1, "");
	node(2, "memory_mb = 0;\n");
	node(3, "memory_mb = 64;\n");
	struct config *config = load();
	cr_assert_not_null(config);
	cr_assert_eq(config_node(config, 1)->values[SETTING_memory_mb].number, 512);
	cr_assert_eq(config_node(config, 2)->values[SETTING_memory_mb].number, 0);
	config_free(&config);
	node(3, "memory_mb = 63;\n");
	assert_mistake("etc/node3.conf:1: ", "at least 64, or 0");
	node(3, "");
	scratch_write(&scratch, "warren.conf", 0644, "stop_drain_s = 91;\n");
	assert_mistake("etc/warren.conf:1: ", "0 to 90");
}

Test(config, values_of_another_kind_are_mistakes)
{
	node(1, "port = 5001.5;\n");
	assert_mistake("etc/node1.conf:1: ", "a fraction");
	node(1, "port = true;\n");
	assert_mistake("etc/node1.conf:1: ", "true or false");
	node(1, "port = [1, 2];\n");
	assert_mistake("etc/node1.conf:1: ", "a group or list");
	node(1, "tier : { name = \"gold\"; };\n");
	assert_mistake("etc/node1.conf:1: ", "a group or list");
	node(1, "tier = 3;\n");
	assert_mistake("etc/node1.conf:1: ", "a number; it must be a text");
}

Test(config, what_would_break_a_line_for_a_child_is_a_mistake)
{
	node(1, "tier = \"gold\\nquota_mb=1\";\n");
	assert_mistake("etc/node1.conf:1: ", "control character");
}

Test(config, shards_are_checked_against_the_count_of_the_same_node)
{
	scratch_write(&scratch, "warren.conf", 0644, "shard_count = 16;\n");
	node(1, "shards = \"0-15\";\n");
	node(2, "shard_count = 8;\n\nshards = \"0-15\";\n");
	assert_mistake("etc/node2.conf:3: ", "shard_count is 8");
}

Test(config, a_word_of_nodes_in_the_machine_s_file_is_the_default_of_all)
{
	scratch_write(&scratch, "warren.conf", 0644, "max_blob_mb = 3;\ntier = \"silver\";\n");
	node(1, "");
	node(2, "max_blob_mb = 4;\n");
	struct config *config = load();
	cr_assert_not_null(config);
	cr_assert_str_eq(text_of(config, 1, SETTING_max_blob_mb), "3");
	cr_assert_str_eq(text_of(config, 2, SETTING_max_blob_mb), "4");
	cr_assert_str_eq(text_of(config, 2, SETTING_quota_mb), "2048");
	config_free(&config);
}

Test(config, the_environment_wins_and_its_port_is_node_one_s)
{
	node(1, "port = 6000;\nquota_mb = 99;\n");
	node(2, "");
	setenv("PORT", "7001", 1);
	setenv("MAX_STORAGE_MB", "50", 1);
	setenv("NODE_SHARDS", "0-3", 1);
	struct config *config = load();
	cr_assert_not_null(config);
	cr_assert_str_eq(text_of(config, 1, SETTING_port), "7001");
	cr_assert_str_eq(text_of(config, 2, SETTING_port), "7101");
	cr_assert_str_eq(text_of(config, 1, SETTING_quota_mb), "50");
	cr_assert_str_eq(text_of(config, 2, SETTING_shards), "0-3");
	config_free(&config);
}

Test(config, mistakes_of_the_environment_are_named_as_such)
{
	node(1, "");
	setenv("PORT", "http", 1);
	assert_mistake("environment: ", "PORT is \"http\"");
	setenv("PORT", "65536", 1);
	assert_mistake("environment: ", "PORT");
	setenv("PORT", "", 1);
	struct config *config = load();
	cr_assert_not_null(config, "an empty one is not given");
	config_free(&config);
}

Test(config, walls_to_leave_out_are_known_by_name)
{
	scratch_write(&scratch, "warren.conf", 0644, "without = \"landlock, memory pids\";\n");
	struct config *config = load();
	cr_assert_not_null(config);
	cr_assert_eq(config->without, 1U << WALL_LANDLOCK | 1U << WALL_MEMORY | 1U << WALL_PIDS);
	config_free(&config);
	scratch_write(&scratch, "warren.conf", 0644, "without = \"landlocks\";\n");
	assert_mistake("etc/warren.conf:1: ", "landlocks");
}

Test(config, a_group_must_exist)
{
	scratch_write(&scratch, "warren.conf", 0644, "operators = \"nobody-has-this-group\";\n");
	assert_mistake("etc/warren.conf:1: ", "groupadd");
}

Test(config, a_file_that_others_can_write_is_a_mistake)
{
	scratch_write(&scratch, "node1.conf", 0664, "");
	assert_mistake("etc/node1.conf: ", "mode 664");
	scratch_write(&scratch, "node1.conf", 0646, "");
	assert_mistake("etc/node1.conf: ", "mode 646");
}

Test(config, a_link_is_not_followed)
{
	cr_assert_eq(symlinkat("warren.conf", scratch.fd, "node1.conf"), 0);
	assert_mistake("etc/node1.conf: ", "cannot be read");
}

Test(config, names_that_are_no_node_s_are_mistakes_and_others_are_passed_over)
{
	cr_assert_eq(config_file_node("node1.conf"), 1);
	cr_assert_eq(config_file_node("node512.conf"), 512);
	static const char *const none[] = {"node513.conf",         "node0.conf",  "node01.conf", "node.conf",
					   "node1.conf~",          "node1.con",   "nodes1.conf", "Node1.conf",
					   "node99999999999.conf", "node1a.conf", "node-1.conf", ""};
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
		cr_assert_eq(config_file_node(none[i]), 0, "%s", none[i]);
	node(1, "");
	scratch_write(&scratch, "node1.conf~", 0644, "nonsense");
	scratch_write(&scratch, "node1.conf.new", 0644, "nonsense");
	struct config *config = load();
	cr_assert_not_null(config);
	cr_assert_eq(config->count, 1);
	config_free(&config);
	scratch_write(&scratch, "node01.conf", 0644, "");
	assert_mistake("etc/node01.conf: ", "node1.conf to node512.conf");
}

Test(config, a_process_is_told_the_words_of_its_row_and_no_others)
{
	char text[512];
	node(2, "quota_mb = 77;\nshards = \"1-2,9\";\n");
	struct config *config = load();
	cr_assert_not_null(config);
	const struct node_config *two = config_node(config, 2);
	struct actor_row row = {.settings = "port quota_mb shards log_keep"};
	const char *told = "port=5101\nquota_mb=77\nshards=1-2,9\nlog_keep=5\n";
	cr_assert_eq(config_told(config, two, &row, text, sizeof text), (int)strlen(told));
	cr_assert_str_eq(text, told);
	cr_assert_eq(config_told(config, two, &row, text, strlen(told)), -1, "one byte too few");
	row.settings = "";
	cr_assert_eq(config_told(config, two, &row, text, sizeof text), 0);
	row.settings = "no_such_word";
	cr_assert_eq(config_told(config, two, &row, text, sizeof text), -1);
	config_free(&config);
}

Test(config, every_row_s_words_exist)
{
	char text[2048];
	node(1, "");
	struct config *config = load();
	cr_assert_not_null(config);
	for (unsigned kind = 1; kind < READER; kind++) {
		const struct actor_row *row = actor_row(kind);
		const struct node_config *one = row && row->scope == PER_NODE ? config_node(config, 1) : NULL;
		if (row)
			cr_assert_geq(config_told(config, one, row, text, sizeof text), 0, "%s", row->name);
	}
	config_free(&config);
}

Test(config, a_changed_word_is_seen)
{
	node(1, "");
	struct config *before = load();
	node(1, "quota_mb = 1024;\n");
	struct config *same = load();
	node(1, "quota_mb = 1025;\n");
	struct config *other = load();
	cr_assert(before && same && other);
	cr_assert(config_same(&before->nodes[0], &same->nodes[0]));
	cr_assert_not(config_same(&before->nodes[0], &other->nodes[0]));
	scratch_write(&scratch, "warren.conf", 0644, "name = \"test\";\nhost = \"::1\";\nmax_blob_mb = 2;\n");
	struct config *moved = load();
	cr_assert(moved);
	cr_assert(config_same_machine(before, other));
	cr_assert_not(config_same_machine(before, moved));
	config_free(&moved);
	config_free(&before);
	config_free(&same);
	config_free(&other);
}

Test(config, a_proposed_node_is_as_it_was_asked_for)
{
	scratch_write(&scratch, "warren.conf", 0644, "max_blob_mb = 3;\n");
	struct config *config = load();
	cr_assert_not_null(config);
	struct node_config proposed = config_propose(config, 9, "silver", 33, 6001);
	cr_assert_eq(proposed.node, 9);
	cr_assert_str_eq(proposed.values[SETTING_tier].text, "silver");
	cr_assert_str_eq(proposed.values[SETTING_quota_mb].text, "33");
	cr_assert_eq(proposed.values[SETTING_port].number, 6001);
	cr_assert_str_eq(proposed.values[SETTING_max_blob_mb].text, "3");
	cr_assert_null(proposed.values[SETTING_name].text);
	node_config_free(&proposed);
	config_free(&config);
}
