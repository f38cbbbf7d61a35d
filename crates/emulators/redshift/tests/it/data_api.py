"""Data API scenarios with boto3: `data_api.py SCENARIO ENDPOINT`.

The rules come from MG/data-api.html and botocore's model of `redshift-data`.
"""

import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SCENARIO, ENDPOINT = sys.argv[1:3]
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CONNECTION = {"ClusterIdentifier": "emulator", "Database": "dev", "DbUser": "awsuser"}


def client(secret=SECRET, key=KEY, region="us-west-2", **config):
    config = Config(retries={"max_attempts": 0}, parameter_validation=False, **config)
    return boto3.client("redshift-data", endpoint_url=ENDPOINT, region_name=region,
                        aws_access_key_id=key, aws_secret_access_key=secret, config=config)


api = client()


def wait(statement):
    """Waits for the end of a statement; returns its description."""
    while True:
        description = api.describe_statement(Id=statement["Id"])
        if description["Status"] in ("FINISHED", "FAILED", "ABORTED"):
            return description
        time.sleep(0.01)


def run(sql, **parameters):
    return wait(api.execute_statement(Sql=sql, **{**CONNECTION, **parameters}))


def run_ok(sql, **parameters):
    description = run(sql, **parameters)
    assert description["Status"] == "FINISHED", description
    return description


def error_of(call, **parameters):
    """Calls an operation that must fail; returns error code, HTTP status and message."""
    try:
        response = call(**parameters)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return error.response["Error"]["Code"], status, error.response["Error"]["Message"]
    raise AssertionError(f"call did not fail: {parameters}: {response}")


def statements():
    run_ok("create table t (a bigint, b varchar(9), c double precision, d boolean, e timestamp, f numeric(9,2))")
    written = run_ok("insert into t values (1, 'x', 0.5, true, '2018-11-01 21:01:46.796', 1.25), (null, null, null, null, null, null)")
    assert (written["HasResultSet"], written["ResultRows"]) == (False, 2), written
    first = api.execute_statement(Sql="select * from t order by a", **CONNECTION)
    assert first["ClusterIdentifier"] == "emulator" and first["DbUser"] == "awsuser" and "Status" not in first, first
    assert abs(first["CreatedAt"].timestamp() - time.time()) < 60
    seen = [api.describe_statement(Id=first["Id"])["Status"] for _ in range(2)]
    assert seen[0] == "SUBMITTED", seen
    description = wait(first)
    assert description["HasResultSet"] and description["ResultRows"] == 2 and description["QueryString"].startswith("select *"), description
    result = api.get_statement_result(Id=first["Id"])
    assert result["Records"] == [
        [{"longValue": 1}, {"stringValue": "x"}, {"doubleValue": 0.5}, {"booleanValue": True},
         {"stringValue": "2018-11-01 21:01:46.796"}, {"stringValue": "1.25"}],
        [{"isNull": True}] * 6], result["Records"]
    assert [column["typeName"] for column in result["ColumnMetadata"]] == [
        "int8", "varchar", "float8", "bool", "timestamp", "numeric"]
    assert (result["ColumnMetadata"][5]["precision"], result["ColumnMetadata"][5]["scale"]) == (9, 2)
    failed = run("select nonsense")
    assert failed["Status"] == "FAILED" and failed["Error"].startswith('ERROR: column "nonsense" does not exist'), failed
    named = run_ok("select a from t where b = :name and a = :number",
                 Parameters=[{"name": "name", "value": "x"}, {"name": "number", "value": "1"}])
    assert api.get_statement_result(Id=named["Id"])["Records"] == [[{"longValue": 1}]]
    at_once = api.execute_statement(Sql="select 1 from t", WaitTimeSeconds=30, **CONNECTION)
    assert at_once["Status"] == "FINISHED" and at_once["HasResultSet"], at_once
    empty = run_ok("select a from t where a = 7")
    assert empty["HasResultSet"] and api.get_statement_result(Id=empty["Id"])["Records"] == []
    other = run("select 1", Database="other")
    assert other["Status"] == "FAILED" and 'database "other" does not exist' in other["Error"], other


def pages():
    run_ok("create table t (a int)")
    values = ", ".join(f"({number})" for number in range(2500))
    run_ok(f"insert into t values {values}")
    description = run_ok("select a from t order by a")
    paginator = api.get_paginator("get_statement_result")
    counts, numbers = [], []
    for page in paginator.paginate(Id=description["Id"]):
        counts.append(len(page["Records"]))
        numbers += [row[0]["longValue"] for row in page["Records"]]
    assert counts == [1000, 1000, 500] and numbers == list(range(2500)), counts
    code, _, _ = error_of(api.get_statement_result, Id=description["Id"], NextToken="nonsense")
    assert code == "ValidationException"
    # MG/data-api-troubleshooting: at most 64 KB per row. VARBYTE values are hexadecimal digits.
    run_ok("create table wide (a varbyte(64000))")
    run_ok("insert into wide values (to_varbyte('" + "07" * 32000 + "', 'hex'))")
    run_ok("update wide set a = a || to_varbyte('" + "08" * 1000 + "', 'hex')")
    failed = run("select a from wide")
    assert failed["Status"] == "FAILED" and "too large" in failed["Error"], failed
    part = run_ok("select octet_length(a), substring(a, 31999, 4) from wide")
    row = api.get_statement_result(Id=part["Id"])["Records"][0]
    assert row == [{"longValue": 33000}, {"stringValue": "07070808"}], row


def batches():
    def batch(*sqls, **more):
        return wait(api.batch_execute_statement(Sqls=list(sqls), **{**CONNECTION, **more}))

    description = batch("create table t (a int)", "insert into t values (1)", "select a from t")
    assert description["Status"] == "FINISHED" and description["HasResultSet"], description
    parts = description["SubStatements"]
    assert [part["Status"] for part in parts] == ["FINISHED"] * 3, parts
    assert [part["HasResultSet"] for part in parts] == [False, False, True]
    assert parts[2]["Id"] == description["Id"] + ":3"
    assert api.get_statement_result(Id=parts[2]["Id"])["Records"] == [[{"longValue": 1}]]
    code, _, _ = error_of(api.get_statement_result, Id=description["Id"])
    assert code == "ResourceNotFoundException"
    failed = batch("insert into t values (2)", "insert into t values ('x')", "insert into t values (3)")
    assert failed["Status"] == "FAILED" and failed["Error"].startswith("Query #2 failed with ERROR: "), failed
    assert [part["Status"] for part in failed["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    kept = run_ok("select count(*) from t")
    assert api.get_statement_result(Id=kept["Id"])["Records"] == [[{"longValue": 1}]]
    batch("insert into t values (2)", "insert into t values ('x')", "insert into t values (3)", ExecutionMode="AUTO_COMMIT")
    kept = run_ok("select count(*) from t")
    assert api.get_statement_result(Id=kept["Id"])["Records"] == [[{"longValue": 3}]]
    assert error_of(api.batch_execute_statement, Sqls=["select 1"] * 41, **CONNECTION)[0] == "ValidationException"
    assert error_of(api.batch_execute_statement, Sqls=[], **CONNECTION)[0] == "ValidationException"


def sessions():
    first = api.execute_statement(Sql="create temp table s (a int)", SessionKeepAliveSeconds=60, **CONNECTION)
    session = first["SessionId"]
    assert wait(first)["Status"] == "FINISHED"
    second = wait(api.execute_statement(Sql="insert into s values (1)", SessionId=session))
    assert second["Status"] == "FINISHED" and second["SessionId"] == session, second
    assert run("select * from s")["Status"] == "FAILED"
    assert error_of(api.execute_statement, Sql="select 1", SessionId=session, Database="dev")[0] == "ValidationException"
    gone = "00000000-0000-0000-0000-000000000000"
    assert error_of(api.execute_statement, Sql="select 1", SessionId=gone) == (
        "ValidationException", 400, f"Session with Id: {gone} is invalid")
    assert error_of(api.list_sessions, SessionId=gone)[0] == "ResourceNotFoundException"
    listed = api.list_sessions(SessionId=session)["Sessions"]
    assert [(one["SessionId"], one["Status"]) for one in listed] == [(session, "AVAILABLE")], listed
    assert [one["SessionId"] for one in api.list_sessions()["Sessions"]] == [session]
    # A batch runs in a session. The model about SessionKeepAliveSeconds:
    # "the number of seconds to keep the session alive after the query finishes".
    both = wait(api.batch_execute_statement(Sqls=["insert into s values (2)", "select count(*) from s"], SessionId=session))
    assert api.get_statement_result(Id=both["Id"] + ":2")["Records"] == [[{"longValue": 2}]], both
    assert wait(api.execute_statement(Sql="select 1", SessionId=session, SessionKeepAliveSeconds=0))["Status"] == "FINISHED"
    closed = error_of(api.execute_statement, Sql="select 1", SessionId=session)
    assert closed == ("ValidationException", 400, "Session is not available"), closed
    assert api.list_sessions(SessionId=session)["Sessions"][0]["Status"] == "CLOSED"
    assert api.list_sessions()["Sessions"] == []
    token = {"ClientToken": "one"}
    ids = {api.execute_statement(Sql="select 1", **token, **CONNECTION)["Id"] for _ in range(3)}
    assert len(ids) == 1, ids
    assert error_of(api.execute_statement, Sql="select 2", **token, **CONNECTION)[0] == "ValidationException"


def refusals():
    wrong = [
        {"Sql": "select 1", "Database": "dev"},
        {"Sql": "select 1", "Database": "dev", "ClusterIdentifier": "emulator", "WorkgroupName": "emulator"},
        {"Sql": "select 1", "ClusterIdentifier": "emulator", "DbUser": "awsuser"},
        {"Sql": "select 1", "Database": "dev", "ClusterIdentifier": "other"},
        {"Sql": "select 1", "Database": "dev", "WorkgroupName": "emulator", "DbUser": "awsuser"},
        {"Sql": "select 1", "SecretArn": "arn:nonsense", **{**CONNECTION, "DbUser": None}},
        {"Sql": "select 1", "WaitTimeSeconds": 31, **CONNECTION},
        {"Sql": "select 1", "SessionKeepAliveSeconds": 86401, **CONNECTION},
        {"Sql": "select 1", "ClientToken": "x" * 65, **CONNECTION},
        {"Sql": "select 1; select 2", **CONNECTION},
        {"Sql": "", **CONNECTION},
        {"Sql": "select '" + "x" * 102400 + "'", **CONNECTION},
        {"Sql": "select :a", **CONNECTION, "Parameters": [{"name": "b", "value": "x"}]},
        {"Sql": "select 1", **CONNECTION, "Parameters": [{"name": "b", "value": "x"}]},
        {**CONNECTION},
    ]
    for parameters in wrong:
        given = {name: value for name, value in parameters.items() if value is not None}
        code, status, message = error_of(api.execute_statement, **given)
        assert (code, status) == ("ValidationException", 400), (given, code, message)
    accepted = {"WorkgroupName": "emulator", "Database": "dev"}
    assert wait(api.execute_statement(Sql="select 1", **accepted))["Status"] == "FINISHED"
    code, _, _ = error_of(api.execute_statement, Sql="select 1", WorkgroupName="other", Database="dev")
    assert code == "ResourceNotFoundException"
    assert error_of(api.describe_statement, Id="00000000-0000-0000-0000-000000000000")[0] == "ResourceNotFoundException"


def signatures():
    for other, code in [
        (client(secret="wrong"), "InvalidSignatureException"),
        (client(key="AKIAOTHER"), "UnrecognizedClientException"),
        (client(region="eu-west-1"), "InvalidSignatureException"),
    ]:
        assert error_of(other.describe_statement, Id="x")[0] == code


def throttled():
    codes = [error_of(api.execute_statement, Sql="select 1", **CONNECTION)[:2] for _ in range(2)]
    assert codes == [("ThrottlingException", 400)] * 2, codes
    assert error_of(api.execute_statement, Sql="select 1", **CONNECTION)[:2] == ("InternalServerException", 500)
    assert run("select 1")["Status"] == "FINISHED"


def busy():
    first = api.execute_statement(Sql="select 1", SessionKeepAliveSeconds=60, **CONNECTION)
    session = first["SessionId"]
    wait(first)
    running = api.execute_statement(Sql="select 78", SessionId=session)
    # The session becomes busy when its statement starts.
    while api.list_sessions(SessionId=session)["Sessions"][0]["Status"] != "BUSY":
        time.sleep(0.01)
    refused = error_of(api.execute_statement, Sql="select 1", SessionId=session)
    assert refused == ("ValidationException", 400, "Session is not available"), refused
    code, _, _ = error_of(api.describe_statement, Id=running["Id"], WaitTimeSeconds=1)
    assert code == "ActiveWaitingRequestsExceededException", code
    assert wait(running)["Status"] == "FINISHED"


def cancelled():
    slow = api.execute_statement(Sql="select 77", **CONNECTION)
    # Retry: a cancel request has no effect before the statement runs, as on a cluster.
    while api.describe_statement(Id=slow["Id"])["Status"] != "ABORTED":
        try:
            assert api.cancel_statement(Id=slow["Id"])["Status"] is True
        except ClientError:
            pass
        time.sleep(0.02)
    code, _, message = error_of(api.cancel_statement, Id=slow["Id"])
    assert code == "ValidationException" and "already in ABORTED state" in message, message


def conflict():
    description = wait(api.batch_execute_statement(Sqls=["create table t (a int)", "insert into t values (1)"], **CONNECTION))
    assert description["Status"] == "FAILED", description
    assert description["Error"] == "ERROR: 1023\n  Detail: Serializable isolation violation on table in Redshift", description
    assert run("select * from t")["Status"] == "FAILED"


def copy():
    run_ok("create table t (a int, b varchar(10))")
    role = "arn:aws:iam::000000000000:role/reader"
    description = run_ok(f"copy t from 's3://bucket/in/' iam_role '{role}' format json 'auto'")
    assert (description["ResultRows"], description["HasResultSet"]) == (3, False), description
    failed = run(f"copy t from 's3://bucket/none/' iam_role '{role}' format json 'auto'")
    assert failed["Status"] == "FAILED", failed


globals()[SCENARIO]()
print("passed", SCENARIO)
