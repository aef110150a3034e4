"""The iris forest, from training to predictions behind a managed endpoint, by the real AWS API. Run by `make demo`.

Everything between `moorage up` and `moorage down` is plain boto3: pointed at AWS, the same calls deploy it there.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import sklearn
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

MOORAGE = str(Path(sys.executable).with_name("moorage"))
NAME = "iris"
SKLEARN = ".".join(sklearn.__version__.split(".")[:2])
IMAGE = f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:{SKLEARN}-1-cpu-py3"
"""The image with the scikit-learn that pickles the model: another one might not load it."""
TRUST_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
FLOWERS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.1, 4.4, 1.4], [6.3, 3.3, 6.0, 2.5]]
SPECIES = ("setosa", "versicolor", "virginica")


def main() -> None:
    """Deploy, predict, compare, clean up; exits with 1 when anything is not as it should be."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="moorage-demo-") as folder:
        work = Path(folder)
        model, archive = train(work)
        with moorage(work / "state"):
            deploy(archive)
            predict(model)
            refuse()
            clean_up()
        leave_nothing(work / "state")
    say(f"Done in {time.monotonic() - started:.1f} s, nothing left running")


def train(work: Path) -> tuple[RandomForestClassifier, Path]:
    """A forest of 100 trees, pickled and packed the way SageMaker wants it."""
    with timed("Trained a forest of 100 trees"):
        iris = load_iris()
        rows, _, species, _ = train_test_split(iris.data, iris.target, test_size=0.2, random_state=42)
        model = RandomForestClassifier(n_estimators=100, random_state=42).fit(rows, species)
    with timed("Packed model.tar.gz"):
        (work / "model.pkl").write_bytes(pickle.dumps(model))
        with tarfile.open(work / "model.tar.gz", "w:gz") as archive:
            archive.add(work / "model.pkl", "model.pkl")
    return model, work / "model.tar.gz"


@contextlib.contextmanager
def moorage(data_dir: Path) -> Iterator[None]:
    """A Moorage of its own, on a free port, with this process's AWS settings pointing at it."""
    with timed("Started Moorage"):
        run("up", "--detach", "--port", "0", "--data-dir", str(data_dir))
    try:
        for line in run("env", "--data-dir", str(data_dir)).splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            os.environ[name] = value.strip("'")
        yield
    finally:
        with timed("Stopped Moorage"):
            run("down", "--data-dir", str(data_dir))


def deploy(archive: Path) -> None:
    """Bucket, upload, role, model, endpoint config, endpoint."""
    sagemaker = boto3.client("sagemaker")
    with timed("Uploaded the archive to S3"):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="sagemaker-iris")
        s3.upload_file(str(archive), "sagemaker-iris", "model.tar.gz")
    with timed("Created role, model and endpoint config"):
        role = boto3.client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(TRUST_POLICY))
        sagemaker.create_model(
            ModelName=NAME,
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://sagemaker-iris/model.tar.gz"},
            ExecutionRoleArn=role["Role"]["Arn"],
        )
        variant = {
            "VariantName": "primary",
            "ModelName": NAME,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
        }
        sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    with timed("CreateEndpoint to InService"):
        sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)


def predict(model: RandomForestClassifier) -> None:
    """Three flowers, asked of the endpoint and of the model in this process."""
    runtime = boto3.client("sagemaker-runtime")
    with timed("First prediction"):
        predictions = invoke(runtime, FLOWERS)
    for flower, prediction in zip(FLOWERS, predictions, strict=True):
        say(f"    {flower} -> {SPECIES[prediction]}")
    local = model.predict(FLOWERS).tolist()
    if predictions != local:
        sys.exit(f"The endpoint says {predictions}, the local model {local}")
    say("    The local model says the same")


def refuse() -> None:
    """A row with a feature missing: the model's own complaint arrives as SageMaker's ModelError."""
    runtime = boto3.client("sagemaker-runtime")
    try:
        invoke(runtime, [[1, 2, 3]])
    except runtime.exceptions.ModelError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        say(f"Three features instead of four: ModelError, HTTP {status}")
        say(f"    {error.response['OriginalStatusCode']} {error.response['OriginalMessage']}")
    else:
        sys.exit("The endpoint took a row of three features")


def invoke(runtime: Any, rows: list[list[float]]) -> list[int]:
    """One call of InvokeEndpoint."""
    body = json.dumps({"instances": rows})
    answer = runtime.invoke_endpoint(EndpointName=NAME, ContentType="application/json", Body=body)
    predictions: list[int] = json.loads(answer["Body"].read())["predictions"]
    return predictions


def clean_up() -> None:
    """Delete what was made, last things first."""
    sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
    with timed("Deleted endpoint, config, model, role and bucket"):
        sagemaker.delete_endpoint(EndpointName=NAME)
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=NAME, WaiterConfig={"Delay": 0.1})
        sagemaker.delete_endpoint_config(EndpointConfigName=NAME)
        sagemaker.delete_model(ModelName=NAME)
        boto3.client("iam").delete_role(RoleName=NAME)
        s3.delete_object(Bucket="sagemaker-iris", Key="model.tar.gz")
        s3.delete_bucket(Bucket="sagemaker-iris")


def leave_nothing(data_dir: Path) -> None:
    """Look for processes that still use the demo's folder, and for sockets in it."""
    processes = [pid for pid in os.listdir("/proc") if pid.isdigit() and str(data_dir) in open_files(int(pid))]
    sockets = [str(path) for path in data_dir.rglob("*") if path.is_socket()]
    if processes or sockets:
        sys.exit(f"Left behind: processes {processes}, sockets {sockets}")


def open_files(pid: int) -> str:
    """The command line, folder and open files of a process, as one text; empty for a process that is gone."""
    process = Path("/proc", str(pid))
    try:
        links = [process / "cwd", *(process / "fd").iterdir()]
        return (process / "cmdline").read_text() + "\n".join(os.readlink(link) for link in links)
    except OSError:
        return ""


def run(*arguments: str) -> str:
    """The `moorage` command; its output, or the end of the demo with its error."""
    done = subprocess.run([MOORAGE, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"moorage {' '.join(arguments)} failed:\n{done.stderr or done.stdout}")
    return done.stdout


@contextlib.contextmanager
def timed(step: str) -> Iterator[None]:
    """Print a step with how long it took."""
    begin = time.monotonic()
    yield
    say(f"{step:<50} {time.monotonic() - begin:8.3f} s")


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
