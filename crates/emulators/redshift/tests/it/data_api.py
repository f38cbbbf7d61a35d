"""The Data API as boto3 calls it: `data_api.py SCENE ENDPOINT`. Each scene asserts for itself; the rules are of MG/data-api.html and the model."""

import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SCENE, ENDPOINT = sys.argv[1:3]
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PLACE = {"ClusterIdentifier": "emulator", "Database": "dev", "DbUser": "awsuser"}


def client(secret=SECRET, key=KEY, region="us-west-2", **config):
    config = Config(retries={"max_attempts": 0}, parameter_validation=False, **config)
    return boto3.client("redshift-data", endpoint_url=ENDPOINT, region_name=region,
                        aws_access_key_id=key, aws_secret_access_key=secret, config=config)


api = client()


def ended(statement):
    while True:
        said = api.describe_statement(Id=statement["Id"])
        if said["Status"] in ("FINISHED", "FAILED", "ABORTED"):
            return said
        time.sleep(0.01)


def run(sql, **more):
    return ended(api.execute_statement(Sql=sql, **{**PLACE, **more}))


def done(sql, **more):
    said = run(sql, **more)
    assert said["Status"] == "FINISHED", said
    return said


def refused(call, **parameters):
    try:
        answer = call(**parameters)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return error.response["Error"]["Code"], status, error.response["Error"]["Message"]
    raise AssertionError(f"not refused: {parameters}: {answer}")


def statements():
    done("create table t (a bigint, b varchar(9), c double precision, d boolean, e timestamp, f numeric(9,2))")
    written = done("insert into t values (1, 'x', 0.5, true, '2018-11-01 21:01:46.796', 1.25), (null, null, null, null, null, null)")
    assert (written["HasResultSet"], written["ResultRows"]) == (False, 2), written
    first = api.execute_statement(Sql="select * from t order by a", **PLACE)
    assert first["ClusterIdentifier"] == "emulator" and first["DbUser"] == "awsuser" and "Status" not in first, first
    assert abs(first["CreatedAt"].timestamp() - time.time()) < 60
    seen = [api.describe_statement(Id=first["Id"])["Status"] for _ in range(2)]
    assert seen[0] == "SUBMITTED", seen
    said = ended(first)
    assert said["HasResultSet"] and said["ResultRows"] == 2 and said["QueryString"].startswith("select *"), said
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
    named = done("select a from t where b = :name and a = :number",
                 Parameters=[{"name": "name", "value": "x"}, {"name": "number", "value": "1"}])
    assert api.get_statement_result(Id=named["Id"])["Records"] == [[{"longValue": 1}]]
    at_once = api.execute_statement(Sql="select 1 from t", WaitTimeSeconds=30, **PLACE)
    assert at_once["Status"] == "FINISHED" and at_once["HasResultSet"], at_once
    empty = done("select a from t where a = 7")
    assert empty["HasResultSet"] and api.get_statement_result(Id=empty["Id"])["Records"] == []
    other = run("select 1", Database="other")
    assert other["Status"] == "FAILED" and 'database "other" does not exist' in other["Error"], other


def pages():
    done("create table t (a int)")
    values = ", ".join(f"({number})" for number in range(2500))
    done(f"insert into t values {values}")
    said = done("select a from t order by a")
    paginator = api.get_paginator("get_statement_result")
    counts, numbers = [], []
    for page in paginator.paginate(Id=said["Id"]):
        counts.append(len(page["Records"]))
        numbers += [row[0]["longValue"] for row in page["Records"]]
    assert counts == [1000, 1000, 500] and numbers == list(range(2500)), counts
    code, _, _ = refused(api.get_statement_result, Id=said["Id"], NextToken="nonsense")
    assert code == "ValidationException"
    # MG/data-api-troubleshooting: 64 KB per row; bytes come as hexadecimal digits.
    done("create table wide (a varbyte(64000))")
    done("insert into wide values (to_varbyte('" + "07" * 32000 + "', 'hex'))")
    done("update wide set a = a || to_varbyte('" + "08" * 1000 + "', 'hex')")
    failed = run("select a from wide")
    assert failed["Status"] == "FAILED" and "too large" in failed["Error"], failed
    part = done("select octet_length(a), substring(a, 31999, 4) from wide")
    row = api.get_statement_result(Id=part["Id"])["Records"][0]
    assert row == [{"longValue": 33000}, {"stringValue": "07070808"}], row


def batches():
    def batch(*sqls, **more):
        return ended(api.batch_execute_statement(Sqls=list(sqls), **{**PLACE, **more}))

    said = batch("create table t (a int)", "insert into t values (1)", "select a from t")
    assert said["Status"] == "FINISHED" and said["HasResultSet"], said
    parts = said["SubStatements"]
    assert [part["Status"] for part in parts] == ["FINISHED"] * 3, parts
    assert [part["HasResultSet"] for part in parts] == [False, False, True]
    assert parts[2]["Id"] == said["Id"] + ":3"
    assert api.get_statement_result(Id=parts[2]["Id"])["Records"] == [[{"longValue": 1}]]
    code, _, _ = refused(api.get_statement_result, Id=said["Id"])
    assert code == "ResourceNotFoundException"
    failed = batch("insert into t values (2)", "insert into t values ('x')", "insert into t values (3)")
    assert failed["Status"] == "FAILED" and failed["Error"].startswith("Query #2 failed with ERROR: "), failed
    assert [part["Status"] for part in failed["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    kept = done("select count(*) from t")
    assert api.get_statement_result(Id=kept["Id"])["Records"] == [[{"longValue": 1}]]
    batch("insert into t values (2)", "insert into t values ('x')", "insert into t values (3)", ExecutionMode="AUTO_COMMIT")
    kept = done("select count(*) from t")
    assert api.get_statement_result(Id=kept["Id"])["Records"] == [[{"longValue": 3}]]
    assert refused(api.batch_execute_statement, Sqls=["select 1"] * 41, **PLACE)[0] == "ValidationException"
    assert refused(api.batch_execute_statement, Sqls=[], **PLACE)[0] == "ValidationException"


def sessions():
    first = api.execute_statement(Sql="create temp table s (a int)", SessionKeepAliveSeconds=60, **PLACE)
    session = first["SessionId"]
    assert ended(first)["Status"] == "FINISHED"
    second = ended(api.execute_statement(Sql="insert into s values (1)", SessionId=session))
    assert second["Status"] == "FINISHED" and second["SessionId"] == session, second
    assert run("select * from s")["Status"] == "FAILED"
    assert refused(api.execute_statement, Sql="select 1", SessionId=session, Database="dev")[0] == "ValidationException"
    gone = "00000000-0000-0000-0000-000000000000"
    assert refused(api.execute_statement, Sql="select 1", SessionId=gone)[0] == "ResourceNotFoundException"
    # A batch in a session; the model: "the number of seconds to keep the session alive after the query finishes".
    both = ended(api.batch_execute_statement(Sqls=["insert into s values (2)", "select count(*) from s"], SessionId=session))
    assert api.get_statement_result(Id=both["Id"] + ":2")["Records"] == [[{"longValue": 2}]], both
    assert ended(api.execute_statement(Sql="select 1", SessionId=session, SessionKeepAliveSeconds=0))["Status"] == "FINISHED"
    assert refused(api.execute_statement, Sql="select 1", SessionId=session)[0] == "ResourceNotFoundException"
    token = {"ClientToken": "one"}
    ids = {api.execute_statement(Sql="select 1", **token, **PLACE)["Id"] for _ in range(3)}
    assert len(ids) == 1, ids
    assert refused(api.execute_statement, Sql="select 2", **token, **PLACE)[0] == "ValidationException"


def refusals():
    wrong = [
        {"Sql": "select 1", "Database": "dev"},
        {"Sql": "select 1", "Database": "dev", "ClusterIdentifier": "emulator", "WorkgroupName": "emulator"},
        {"Sql": "select 1", "ClusterIdentifier": "emulator", "DbUser": "awsuser"},
        {"Sql": "select 1", "Database": "dev", "ClusterIdentifier": "other"},
        {"Sql": "select 1", "Database": "dev", "WorkgroupName": "emulator", "DbUser": "awsuser"},
        {"Sql": "select 1", "SecretArn": "arn:nonsense", **{**PLACE, "DbUser": None}},
        {"Sql": "select 1", "WaitTimeSeconds": 31, **PLACE},
        {"Sql": "select 1", "SessionKeepAliveSeconds": 86401, **PLACE},
        {"Sql": "select 1", "ClientToken": "x" * 65, **PLACE},
        {"Sql": "select 1; select 2", **PLACE},
        {"Sql": "", **PLACE},
        {"Sql": "select '" + "x" * 102400 + "'", **PLACE},
        {"Sql": "select :a", **PLACE, "Parameters": [{"name": "b", "value": "x"}]},
        {"Sql": "select 1", **PLACE, "Parameters": [{"name": "b", "value": "x"}]},
        {**PLACE},
    ]
    for parameters in wrong:
        given = {name: value for name, value in parameters.items() if value is not None}
        code, status, message = refused(api.execute_statement, **given)
        assert (code, status) == ("ValidationException", 400), (given, code, message)
    accepted = {"WorkgroupName": "emulator", "Database": "dev"}
    assert ended(api.execute_statement(Sql="select 1", **accepted))["Status"] == "FINISHED"
    code, _, _ = refused(api.execute_statement, Sql="select 1", WorkgroupName="other", Database="dev")
    assert code == "ResourceNotFoundException"
    assert refused(api.describe_statement, Id="00000000-0000-0000-0000-000000000000")[0] == "ResourceNotFoundException"


def signatures():
    for other, code in [
        (client(secret="wrong"), "InvalidSignatureException"),
        (client(key="AKIAOTHER"), "UnrecognizedClientException"),
        (client(region="eu-west-1"), "InvalidSignatureException"),
    ]:
        assert refused(other.describe_statement, Id="x")[0] == code


def throttled():
    codes = [refused(api.execute_statement, Sql="select 1", **PLACE)[:2] for _ in range(2)]
    assert codes == [("ThrottlingException", 400)] * 2, codes
    assert refused(api.execute_statement, Sql="select 1", **PLACE)[:2] == ("InternalServerException", 500)
    assert run("select 1")["Status"] == "FINISHED"


def cancelled():
    slow = api.execute_statement(Sql="select 77", **PLACE)
    # Asked again until it is met: a request that comes before the statement runs is too early, as on a cluster.
    while api.describe_statement(Id=slow["Id"])["Status"] != "ABORTED":
        try:
            assert api.cancel_statement(Id=slow["Id"])["Status"] is True
        except ClientError:
            pass
        time.sleep(0.02)
    code, _, message = refused(api.cancel_statement, Id=slow["Id"])
    assert code == "ValidationException" and "already in ABORTED state" in message, message


def conflict():
    said = ended(api.batch_execute_statement(Sqls=["create table t (a int)", "insert into t values (1)"], **PLACE))
    assert said["Status"] == "FAILED", said
    assert said["Error"] == "ERROR: 1023\n  Detail: Serializable isolation violation on table in Redshift", said
    assert run("select * from t")["Status"] == "FAILED"


def copy():
    done("create table t (a int, b varchar(10))")
    role = "arn:aws:iam::000000000000:role/reader"
    said = done(f"copy t from 's3://bucket/in/' iam_role '{role}' format json 'auto'")
    assert (said["ResultRows"], said["HasResultSet"]) == (3, False), said
    failed = run(f"copy t from 's3://bucket/none/' iam_role '{role}' format json 'auto'")
    assert failed["Status"] == "FAILED", failed


globals()[SCENE]()
print("passed", SCENE)
