/*
 * The citus.* settings by name, type, default, range and context. Nothing but SQL of the stand-in reads them: what matters
 * is that a server takes the names and values that the real one takes, and refuses the others.
 */
#define WORD(word, number) {word, number, false}
#define END {NULL, 0, false}
#define WORDS(name, ...) static const struct config_enum_entry name[] = {__VA_ARGS__, END}

WORDS(never_always, WORD("never", 0), WORD("always", 1));
WORDS(parallel_sequential, WORD("parallel", 0), WORD("sequential", 1));
WORDS(none_all, WORD("none", 0), WORD("all", 1));
WORDS(none_local, WORD("none", 0), WORD("local", 1));
WORDS(assignment, WORD("greedy", 0), WORD("first-replica", 1), WORD("round-robin", 2));
WORDS(row_gather, WORD("disabled", 0), WORD("row-gather", 1));
WORDS(sort_method, WORD("execution-time", 0), WORD("taskId", 1));
WORDS(join_policy, WORD("never", 0), WORD("prefer-local", 1), WORD("prefer-distributed", 2), WORD("auto", 3));
WORDS(executor, WORD("adaptive", 0), WORD("real-time", 1), WORD("task-tracker", 2));
WORDS(log_levels, WORD("off", 0), WORD("debug5", 1), WORD("debug4", 2), WORD("debug3", 3), WORD("debug2", 4),
	WORD("debug1", 5), WORD("log", 6), WORD("notice", 7), WORD("warning", 8), WORD("error", 9));

/* What a connection between nodes may be told; user, password and the like are Citus' own. */
static const char *const conninfo_keywords[] = {
	"connect_timeout", "host", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname",
	"sslcert", "sslcompression", "sslcrl", "sslkey", "sslmode", "sslrootcert", "tcp_user_timeout", NULL};

static bool
check_node_conninfo(char **value, void **extra, GucSource source)
{
	const char *at = *value;

	while (*(at += strspn(at, " \t")))
	{
		size_t		length = strcspn(at, "= \t");
		const char *const *keyword = conninfo_keywords;

		while (*keyword && (strlen(*keyword) != length || strncmp(*keyword, at, length) != 0))
			keyword++;
		if (!*keyword)
		{
			GUC_check_errdetail("Prohibited conninfo keyword detected: %.*s", (int) length, at);
			return false;
		}
		at += length;
		at += strspn(at, " \t");
		if (*at != '=')
		{
			GUC_check_errdetail("Provided string is not a valid libpq connection info string");
			return false;
		}
		at++;
		at += strspn(at, " \t");
		if (*at == '\'')
		{
			for (at++; *at && *at != '\''; at++)
				if (*at == '\\' && at[1])
					at++;
			if (*at)
				at++;
		}
		else
			at += strcspn(at, " \t");
	}
	return true;
}

/* A line of settings.def defines one setting, with a variable that nobody reads. */
#define MEANING "As in Citus; see tests/citus_standin."
#define BOOL(name, value, context) \
	{ static bool variable = value; \
	  DefineCustomBoolVariable("citus." name, MEANING, NULL, &variable, value, context, 0, NULL, NULL, NULL); }
#define INT(name, value, lowest, highest, context, flags) \
	{ static int variable = value; \
	  DefineCustomIntVariable("citus." name, MEANING, NULL, &variable, value, lowest, highest, context, flags, \
							  NULL, NULL, NULL); }
#define REAL(name, value, lowest, highest, context) \
	{ static double variable = value; \
	  DefineCustomRealVariable("citus." name, MEANING, NULL, &variable, value, lowest, highest, context, 0, \
							   NULL, NULL, NULL); }
#define TEXT(name, value, context, check) \
	{ static char *variable = value; \
	  DefineCustomStringVariable("citus." name, MEANING, NULL, &variable, value, context, 0, check, NULL, NULL); }
#define ENUM(name, value, words, context) \
	{ static int variable = value; \
	  DefineCustomEnumVariable("citus." name, MEANING, NULL, &variable, value, words, context, 0, NULL, NULL, NULL); }

static void
define_settings(void)
{
#include "settings.def"
#if PG_VERSION_NUM >= 150000
	MarkGUCPrefixReserved("citus");
#else
	EmitWarningsOnPlaceholders("citus");
#endif
}
