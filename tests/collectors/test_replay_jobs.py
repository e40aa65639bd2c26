"""Jobs and throughputs for replays: what is read, and how a bad file is answered."""

from pathlib import Path

import pytest

from collectors.base import SourceGarbled, SourceUnavailable
from collectors.traces.replay_jobs import read_batch_jobs, read_elastic_jobs, read_throughputs

ELASTIC = "job_id,submit_time,iteration,model_name,ddl,batch_size,num_gpu\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_batch_jobs_are_read(tmp_path: Path) -> None:
    jobs = read_batch_jobs(written(tmp_path / "jobs.csv", "arrival_time,length,cpus\n0.0,6302.0,1\n68,1000,2\n"))

    assert (jobs.arrival_s.tolist(), jobs.length_s.tolist(), jobs.cpus.tolist()) == ([0, 68], [6302, 1000], [1, 2])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("arrival_time,length\n0,1\n", "column cpus is missing"),
        ("arrival_time,length,cpus\n", "holds no job"),
        ("arrival_time,length,cpus\n0,-1,1\n", "row 1: length '-1'"),
        ("arrival_time,length,cpus\n0,1,1\nx,1,1\n", "row 2: arrival_time 'x'"),
        ("arrival_time,length,cpus\n0,1,1.5\n", "row 1: cpus 1.5 is no whole number"),
    ],
)
def test_bad_batch_jobs_are_answered_with_the_row(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SourceGarbled, match=why):
        read_batch_jobs(written(tmp_path / "jobs.csv", text))


def test_elastic_jobs_are_read(tmp_path: Path) -> None:
    jobs = read_elastic_jobs(written(tmp_path / "jobs.csv", ELASTIC + "7,100,50,bert,900,384,2\n"))

    assert (jobs.key, jobs.model, jobs.gpus.tolist()) == (("7",), ("bert",), [2])


def test_throughputs_leave_out_what_cannot_run(tmp_path: Path) -> None:
    written(tmp_path / "bert.csv", "global_batch_size,1,2,4\n384,0.5,0.9,nan\n")

    assert read_throughputs(tmp_path) == {("bert", 384): {1: 0.5, 2: 0.9}}


def test_bad_throughputs_are_answered(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="holds no CSV"):
        read_throughputs(tmp_path)
    written(tmp_path / "bert.csv", "global_batch_size,many\n384,0.5\n")
    with pytest.raises(SourceGarbled, match="'many' is no number of GPUs"):
        read_throughputs(tmp_path)
