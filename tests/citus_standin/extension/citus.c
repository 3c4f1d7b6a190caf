/*
 * The library of the stand-in for Citus: what SQL cannot do. The settings, the refusals at server start, the version that is
 * loaded, a background worker, and the statements on roles that have to reach the workers.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/explain.h"
#include "commands/extension.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "optimizer/planner.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

PG_MODULE_MAGIC;

#include "settings.h"

#define IDLE_MILLISECONDS 200
#define IDLE_ROUNDS 25			/* the transaction that made a job may not have ended yet */

void		_PG_init(void);
PGDLLEXPORT void citus_standin_worker(Datum argument);

PG_FUNCTION_INFO_V1(citus_standin_version);
PG_FUNCTION_INFO_V1(citus_standin_extension_version);
PG_FUNCTION_INFO_V1(citus_standin_wake);

static ProcessUtility_hook_type next_utility = NULL;

/* ---- what is loaded ---------------------------------------------------------------------------------------------- */

Datum
citus_standin_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text("Citus " STANDIN_VERSION " (Cistern stand-in) on " STANDIN_MACHINE
									 ", compiled by gcc " __VERSION__));
}

Datum
citus_standin_extension_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(STANDIN_EXTENSION_VERSION));
}

/* ---- background jobs --------------------------------------------------------------------------------------------- */

/* Start a worker for this database. A second one finds the lock of the first and goes. */
Datum
citus_standin_wake(PG_FUNCTION_ARGS)
{
	BackgroundWorker worker;
	Oid			owner = GetUserId();

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "citus", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "citus_standin_worker", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "Citus background tasks (Cistern stand-in)", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "Citus background tasks", BGW_MAXLEN);
	worker.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
	memcpy(worker.bgw_extra, &owner, sizeof(owner));
	PG_RETURN_BOOL(RegisterDynamicBackgroundWorker(&worker, NULL));
}

/* Take one step in a transaction of its own. Returns the milliseconds until the next, -1 when idle, -2 to go. */
static int
take_step(void)
{
	int			pause = -2;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
	if (OidIsValid(get_extension_oid("citus", true)) &&
		SPI_execute("SELECT citus_internal.background_step()", false, 1) == SPI_OK_SELECT && SPI_processed == 1)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		pause = isnull ? -2 : DatumGetInt32(value);
	}
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	return pause;
}

void
citus_standin_worker(Datum argument)
{
	Oid			owner;
	int			idle = 0;

	memcpy(&owner, MyBgworkerEntry->bgw_extra, sizeof(owner));
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(argument), owner, 0);
	while (idle < IDLE_ROUNDS)
	{
		int			pause = take_step();

		if (pause < -1)
			break;
		idle = pause < 0 ? idle + 1 : 0;
		if (pause != 0)
		{
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
							 pause < 0 ? IDLE_MILLISECONDS : pause, PG_WAIT_EXTENSION);
			ResetLatch(MyLatch);
		}
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- statements that do more than they say ----------------------------------------------------------------------- */

static void
run(const char *command)
{
	CommandCounterIncrement();
	SPI_connect();
	SPI_execute(command, false, 0);
	SPI_finish();
}

static void
drop_roles(DropRoleStmt *statement)
{
	StringInfoData command;
	ListCell   *cell;

	initStringInfo(&command);
	appendStringInfoString(&command, "SELECT citus_internal.drop_roles(ARRAY[");
	foreach(cell, statement->roles)
	{
		RoleSpec   *role = lfirst_node(RoleSpec, cell);

		appendStringInfo(&command, "%s%s", cell == list_head(statement->roles) ? "" : ",",
						 role->rolename ? quote_literal_cstr(role->rolename) : "NULL");
	}
	appendStringInfoString(&command, "]::text[])");
	run(command.data);
}

static void
utility(PlannedStmt *planned, const char *query, bool read_only_tree, ProcessUtilityContext context,
		ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	Node	   *statement = planned->utilityStmt;

	if (next_utility)
		next_utility(planned, query, read_only_tree, context, params, environment, receiver, completion);
	else
		standard_ProcessUtility(planned, query, read_only_tree, context, params, environment, receiver, completion);
	if (creating_extension)
		return;
	switch (nodeTag(statement))
	{
		case T_CreateRoleStmt:
		case T_AlterRoleStmt:
		case T_AlterRoleSetStmt:
		case T_GrantRoleStmt:
			if (OidIsValid(get_extension_oid("citus", true)))
				run("SELECT citus_internal.sync_roles()");
			break;
		case T_DropRoleStmt:
			if (OidIsValid(get_extension_oid("citus", true)))
				drop_roles((DropRoleStmt *) statement);
			break;
		default:
			break;
	}
}

/* ---- server start ------------------------------------------------------------------------------------------------ */

/* Two-phase commit is off in a server as it comes, and Citus needs it. */
static void
allow_prepared_transactions(void)
{
	char		number[16];

	if (atoi(GetConfigOption("max_prepared_transactions", false, false)) != 0)
		return;
	snprintf(number, sizeof(number), "%d", 2 * MaxConnections);
	SetConfigOption("max_prepared_transactions", number, PGC_POSTMASTER, PGC_S_OVERRIDE);
}

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR, (errmsg("Citus can only be loaded via shared_preload_libraries"),
						errhint("Add citus to shared_preload_libraries configuration variable in postgresql.conf in master "
								"and workers. Note that citus should be at the beginning of shared_preload_libraries.")));
	if (planner_hook || ProcessUtility_hook || ExecutorStart_hook || ExecutorRun_hook || ExplainOneQuery_hook)
		ereport(ERROR, (errmsg("Citus has to be loaded first"),
						errhint("Place citus at the beginning of shared_preload_libraries.")));
	define_settings();
	allow_prepared_transactions();
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = utility;
}
