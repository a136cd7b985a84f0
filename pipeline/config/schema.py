"""Every setting, typed, with its meaning. The frozen records here are the only form in which settings travel.

Types are checked by OmegaConf through `structured_config.py`, rules between fields in `rules/validate.py`.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pipeline.language import Language
from pipeline.methods import MethodName
from pipeline.records import ClaimMetric, ClaimTest, Direction

SECRET = {"secret": True}

Source = Literal["package", "file", "hub", "local"]
Pooling = Literal["auto", "cls", "mean", "last", "head"]
Decay = Literal["linear", "cosine", "constant", "warmup_stable_decay"]
Precision = Literal["auto", "fp32", "bf16"]
Objective = Literal["masked_language_modelling", "causal_language_modelling"]
ExportFormat = Literal["safetensors", "onnx"]
Sampler = Literal["tpe", "gp", "cmaes", "random", "quasi_random", "grid", "brute_force"]
Pruner = Literal["median", "halving", "hyperband", "wilcoxon", "pausing", "none"]


@dataclass(frozen=True, kw_only=True)
class Base:
    """A pretrained checkpoint and its tokenizer."""

    name: str = ""  # shown in reports; source=hub: the repository's name, OWNER/NAME
    source: Literal["package", "hub", "local"] = "hub"  # inside a package, on the hub, or a local directory
    path: str | None = None  # package, local: directory or single file; hub: GGUF file in the repository, else null
    pooling: Pooling = "auto"  # vector that a classification head reads; auto: as the base declares, else its own head
    prefix: str | None = None  # put before every text to classify, such as "query: "; null: as the base declares
    revision: str | None = None  # hub: commit, tag or branch
    package: str | None = None  # package: its name and version, as pip takes it
    sha256: str | None = None  # of the weights; other content is refused
    licence: str = "unknown"  # of the weights, shown in reports and model cards
    upstream: str | None = None  # where the packaged copy comes from
    languages: tuple[str, ...] = ()  # codes of its languages, for the model card
    pretraining_flops: float | None = None  # about 6 N D; null where unknown
    pretraining_source: str | None = None  # where that figure comes from
    test_text_seen: Literal["known_seen", "known_unseen", "unknown"] = (
        "unknown"  # whether the test text was part of the pretraining data
    )
    test_text_note: str = ""  # why
    token: str | None = field(default=None, metadata=SECRET)  # hub token; HF_TOKEN in the environment is better


TextField = Literal["text", "second"]  # texts of an example
Field = Literal[TextField, "label", "score", "labels"]  # all that it can hold; settings of Data name their columns
TEXTS: tuple[TextField, ...] = get_args(TextField)
FIELDS: tuple[Field, ...] = get_args(Field)


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where labelled text comes from and how it is split."""

    source: Source = "file"  # a file inside a package, a file, a data set on the hub, or a saved data set
    path: str | None = None  # file, directory, hub name, or file in a package
    validation: str | None = None  # file: a separate validation file; hub and local: split name
    test: str | None = None  # file: a separate test file; hub and local: split name
    train_split: str = "train"  # hub and local: split to train on
    subset: str | None = None  # hub: configuration name
    revision: str | None = None  # hub: commit, tag or branch
    package: str | None = None  # package: its name and version, as pip takes it
    sha256: str | None = None  # of the file; other content is refused
    text: str = "text"  # column of the text
    second: str | None = None  # column of the second text (pair tasks)
    label: str | None = "label"  # column of the label; null for tasks without labels
    score: str | None = None  # column of the target number (regression on pairs)
    scale: tuple[float, ...] = (0.0, 1.0)  # its smallest and its largest possible value
    labels: str | None = (
        None  # column with all labels of an example (multi-label), or its words' tags; or one 0/1 column per label: a;b
    )
    separator: str = ";"  # between them
    label_pattern: str | None = None  # regular expression that finds each label instead; its group is the label's name
    language: str | None = None  # of the texts: en, pt; null: that of the training data
    label_names: dict[str, str] = field(
        default_factory=dict
    )  # name shown for each value; an empty name leaves its rows out
    group: str | None = None  # column of the group (writer, document): rows of a group are never split between sets
    time: str | None = None  # column of when a text was written: the test set is drawn from the latest rows
    where: dict[str, str] = field(default_factory=dict)  # keep rows whose column has this value: fr, fr|pt, true
    validation_size: int = 400  # rows held out for validation if there is no separate set (at most a tenth)
    test_size: int = 1500  # rows held out for testing if there is no separate set (at most a quarter)
    licence: str = "unknown"  # of the data, shown in reports and model cards
    upstream: str | None = None  # where the packaged copy comes from
    token: str | None = field(default=None, metadata=SECRET)  # hub token; HF_TOKEN in the environment is better


@dataclass(frozen=True, kw_only=True)
class Range:
    """The values of one setting that a sweep may try: exactly one of the first five, each end included."""

    log: tuple[float, ...] = ()  # from, to, on a logarithmic scale
    uniform: tuple[float, ...] = ()  # from, to
    integer: tuple[int, ...] = ()  # from, to
    log_integer: tuple[int, ...] = ()  # from, to, on a logarithmic scale
    choice: tuple[Any, ...] = ()  # these values
    step: float | None = None  # uniform, integer: step size, from the lower end
    when: dict[str, Any] = field(default_factory=dict)  # tried only if other settings have these values


@dataclass(frozen=True, kw_only=True)
class Task:
    """Data, objective and metrics."""

    name: str = ""  # shown in reports; part of what identifies a study
    kind: str = "classification"  # a file in pipeline/tasks: multi-label classification, fill-mask, ...
    metric: str = "accuracy"  # the metric that claims are about
    prompt: str | None = None  # prompt that predicts a class by its word: "{text} It was [MASK]."
    max_length: int = 128  # in tokens; longer texts are truncated, and reports count them
    deduplicate: bool = True  # remove training rows that also occur in validation or test
    split_seed: int = 0  # decides which rows are held out
    data: Data = Data()
    out_of_domain: dict[str, Data] = field(default_factory=dict)  # sets that are used for testing only
    out_of_domain_size: int = 500  # rows of each, a fixed stratified sample; 0: all
    space: dict[str, Range] = field(default_factory=dict)  # search space that sweeps on this task add to the arm's own


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The hyperparameters of an arm. Declared per arm, printed in every report."""

    lr: float = 5e-5  # peak learning rate
    weight_decay: float = 0.01  # of AdamW, on weight matrices
    warmup: float = 0.1  # share of the steps
    decay: Decay = "linear"  # schedule of the learning rate after the warm-up
    cooldown: float = 0.2  # share of the steps, at the end, over which warmup_stable_decay decays
    epochs: float = 3.0  # passes over the train subset
    min_steps: int = 0  # at least this many steps, however few examples
    max_steps: int = 0  # at most this many steps, however many examples; 0: no limit
    patience: int = 0  # early stopping: evaluations without improvement; 0: off


@dataclass(frozen=True, kw_only=True)
class Lora:
    """Low-rank adapters (Hu et al. 2021), through peft."""

    rank: int = 8  # of the two low-rank matrices
    alpha: float = 16.0  # the update is scaled by alpha / rank
    dropout: float = 0.0  # on the input of the adapters
    targets: tuple[str, ...] = ()  # names of modules; empty: peft's default for the architecture


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """A training on the task's own text, without its labels, from which all cells of an arm go on."""

    objective: Objective | None = None  # null: no such pretraining
    size: int | str = "all"  # texts of the training set
    seed: int = 0  # of its subset, initialisation and order
    batch: int = 32  # global batch size, in texts
    recipe: Recipe = Recipe()


@dataclass(frozen=True, kw_only=True)
class Look:
    """How an arm looks in figures. An arm that has no look, or that of another one, takes a spare one."""

    light: str | None = None  # colour on light paper, #rrggbb; of runs in MLflow too
    dark: str | None = None  # on dark paper
    marker: Literal["o", "s", "^", "D", "v", "P", "X", "p", "*", "h", "d", "H"] = "o"  # matplotlib's marker


@dataclass(frozen=True, kw_only=True)
class Arm:
    """How the network starts and what is trained."""

    name: str = ""  # shown in reports
    start: Literal["pretrained", "scratch"] = (
        "pretrained"  # pretrained weights, or the same architecture freshly initialised
    )
    method: MethodName = "full"  # full fine-tuning, linear probe, low-rank, bag of words: pipeline/methods
    head: Literal["fresh", "probe", "class_means"] = (
        "fresh"  # head before the first step: random, a solved linear probe, the classes' means
    )
    shrink: float = 1.0  # share of the base's layers, heads and widths; below 1 the comparison is not controlled
    recipe: Recipe = Recipe()
    lora: Lora = Lora()
    pretraining: Pretraining = Pretraining()
    space: dict[str, Range] = field(
        default_factory=dict
    )  # search space of a sweep over this arm, by the setting's full name
    look: Look = Look()


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """Where and how a training is spread. Never changes the result."""

    name: str = "auto"  # of the preset in conf/hardware
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"  # auto: a GPU if there is one
    devices: int = 1  # processes per cell: GPUs, or CPU processes
    strategy: Literal["single", "ddp", "fsdp", "deepspeed"] = (
        "single"  # ddp: data parallel; fsdp, deepspeed: the network sharded over devices
    )
    threads: int | None = None  # per worker; null: cores / workers
    launcher: Literal["own", "torchrun"] = (
        "own"  # torchrun: a cell runs in the processes that torchrun started, on one or more machines
    )
    timeout_minutes: float = 10.0  # how long a rank waits for the other ranks of its cell
    micro_batch: int | None = (
        None  # gradient accumulation: examples per forward pass of a rank; null: its whole share of the batch
    )
    deterministic: bool = False  # GPU: bitwise reproducible, 33 to 50% slower; CPU training always is
    compile: bool = False  # torch.compile on a GPU: faster steps after a slow start
    gradient_checkpointing: bool = False  # gradient checkpointing: less memory, a third slower


@dataclass(frozen=True, kw_only=True)
class Train:
    """One training. Fields that are null take the arm's recipe."""

    size: int | str = "all"  # number of training labels
    seed: int = 0  # draws subset, initialisation and data order
    batch: int = 32  # global batch size, in examples
    lr: float | None = None  # null: the arm's recipe, as for the next seven
    weight_decay: float | None = None  # of AdamW
    warmup: float | None = None  # share of the steps
    decay: Decay | None = None  # schedule after the warm-up
    cooldown: float | None = None  # share of the steps, for warmup_stable_decay
    epochs: float | None = None  # passes over the train subset
    min_steps: int | None = None  # at least this many steps
    max_steps: int | None = None  # at most this many steps; 0: no limit
    patience: int | None = None  # early stopping: evaluations without improvement; 0: off
    clip: float = 1.0  # largest norm of the gradient
    dropout: float | None = None  # null: the base's own; every arm has the same
    precision: Precision = "auto"  # auto: bf16 where the device computes it fast, else fp32
    eval_every: int | None = (
        None  # examples between evaluations early in training; null: by train size, equal for all arms
    )
    samples: int = 8  # test texts logged with a run, with predictions before and after training
    best_by: Literal["metric", "loss"] = "metric"  # validation metric or validation loss decides which weights are best
    keep: Literal["seeds", "all", "best", "none"] = (
        "seeds"  # weights to keep: of as many seeds as study.disk allows, all, the best seed per arm and size
    )
    fit_memory: bool = False  # if memory is short, choose hardware.micro_batch and hardware.gradient_checkpointing
    checkpoint_every: str = "5min"  # how often a training is saved, to resume from: 5min | 200steps | never


@dataclass(frozen=True, kw_only=True)
class Executor:
    """Where cells run."""

    name: Literal["local", "ray", "slurm"] = "local"  # this machine, a Ray cluster or a SLURM cluster
    workers: int | None = (
        None  # cells at a time; null: one per core (CPU), up to four per GPU, or all that the cluster has
    )
    address: str = "auto"  # of a Ray cluster, HOST:PORT; auto: the cluster running on this machine
    partition: str | None = None  # SLURM, passed to sbatch, as are the next two
    account: str | None = None  # account to charge
    qos: str | None = None  # quality of service
    timeout_minutes: float = 240.0  # a cell that takes longer is stopped and marked failed


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Where runs are recorded."""

    name: Literal["local", "server", "none"] = "local"  # MLflow store under paths.root, an MLflow server, or nothing
    uri: str | None = field(default=None, metadata=SECRET)  # server: its URL; local: null (SQLite under paths.root)
    port: int = 5000  # of the dashboard


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """How much of the data's own text is shown to people who look at results."""

    texts: Literal["auto", "none", "few", "all"] = (
        "auto"  # in reports and with runs; auto: few, but none if runs are recorded on a server
    )


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a study sets out to judge, stated before it runs."""

    statement: str = ""  # the claim in words
    metric: ClaimMetric = "score"  # what is compared: docs/statistics.md explains each
    arm: str = "pretrained"  # the arm that the claim is about
    against: str = "scratch"  # an arm, or best_from_scratch: of each seed the best on validation
    size: int | str = "largest"  # train size, or smallest | largest
    dataset: str = "test"  # or the name of an out-of-domain set, or its role: other_domain | other_language
    audit: str | None = None  # for metric audit: the audit whose measure is compared; delta is in its unit
    direction: Direction = "higher"  # the direction in which `arm` should differ
    delta: float = 0.02  # smallest effect size of interest, > 0; for ratios and multipliers a factor
    test: ClaimTest = "superior"  # superior: by at least delta; not_inferior, equivalent: within margin
    margin: float | None = None  # > 0: the largest loss (or, for equivalent, difference) that does not matter
    family: str = ""  # claims that name the same family share the study's error among themselves, and with no others


@dataclass(frozen=True, kw_only=True)
class Study:
    """Cells plus the analysis that answers one question."""

    name: str = ""  # names the study's folder and its experiment in MLflow
    question: str = ""  # the question it answers, shown in the report
    arms: tuple[str, ...] = ()  # names of arms, ARM@BASE for one on another base than the study's
    sizes: tuple[int | str, ...] = ()  # train sizes, in labels; all: the whole training set
    seeds: tuple[int, ...] = ()  # each cell is trained once per seed
    target: float | None = None  # validation score that costs to reach are counted to, in tables
    early_examples: int = 320  # "soon after the start"
    confidence: float = 0.95  # 1 less the chance of any wrong verdict in a family of claims
    family: Literal["claim", "all"] = "claim"  # whose intervals hold together: those of each claim's family, or all
    claims: dict[str, Claim] = field(default_factory=dict)
    looks: tuple[int, ...] = ()  # numbers of seeds at which claims are judged; empty: once, with all of study.seeds
    spend: tuple[float, ...] = ()  # share of the error that each look spends, 1 in total; empty: a single look
    reserve: float = 0.0  # share of the error kept for looks added later; spend sums to the rest
    until: Literal["read", "settled", "all"] = (
        "settled"  # train only cells that open claims need: from the start (read) or after the first look (settled)
    )
    audits: tuple[str, ...] = ()  # audits to run beside those of claims; calibration is always run if possible
    disk: str = "5GB"  # for weights with train.keep=seeds: as many seeds as fit, and the best per arm and size
    budget: str | None = None  # 10min, 2h, 40 cells or 2e15 FLOPs: no cell starts beyond it, then one last look


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A search over one arm's settings, judged on validation."""

    name: str = ""  # the name to resume it by; empty: TASK-ARM-SIZE
    trials: int = 20  # in total, including earlier runs; lost trials are repeated and do not count
    workers: int | None = None  # cells at a time on this machine; null: executor.workers
    sampler: Sampler = "tpe"  # Optuna's sampler
    pruner: Pruner = "median"  # Optuna's pruner; pausing: successive halving with paused trials
    seed: int = 0  # of the sampler
    seeds: tuple[int, ...] = ()  # a trial is the mean over these values of train.seed; empty: train.seed alone
    space: dict[str, Range] = field(default_factory=dict)  # added to the arm's and the task's space, and overrides them
    only: tuple[str, ...] = ()  # restrict the search to these settings; empty: all
    objectives: tuple[str, ...] = ("score",)  # score | loss | flops | seconds | memory | parameters | stored_bytes
    constraints: dict[str, float] = field(default_factory=dict)  # upper limit of each objective
    from_recipe: bool = True  # the first trial is the arm's own recipe, if the space contains it
    startup_trials: int = 5  # before the sampler learns and the pruner prunes
    warmup_examples: int | None = None  # before a trial can be pruned; null: 20 steps
    allow: tuple[str, ...] = ()  # settings of data or arm that the space may vary nevertheless
    storage: str | None = field(default=None, metadata=SECRET)  # postgresql://...; null: SQLite under paths.root
    grace_seconds: int = 60  # without a heartbeat, after which another machine's trial counts as lost
    restart: bool = False  # delete the sweep of this name and start over
    port: int = 8080  # of the sweep dashboard, on this machine only


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The sweeps that a study begins with: the same number of trials for every arm, searched as `sweep` sets."""

    trials: int = 0  # per arm, before its cells are trained; 0: recipes as configured
    size: int | str | None = None  # train size at which arms are tuned, for all sizes; null: tune at each size


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Where results go."""

    root: str = "outputs"  # folder of all results


@dataclass(frozen=True, kw_only=True)
class Predict:
    """What `predict` reads and writes."""

    text: str | None = None  # one text
    path: str | None = None  # a CSV, or a text file with one text per line; null and no text: standard input
    second: str | None = None  # the second text (pair tasks)
    column: str = "text"  # of the CSV
    second_column: str = "second"  # of the CSV (pair tasks)
    output: str | None = None  # a CSV to write; null: standard output
    tokens: int = 40  # generation: at most this many; the next four are about generation too
    temperature: float = 0.0  # sampling temperature; 0: greedy
    top_p: float = 1.0  # nucleus sampling: among the likeliest tokens with this total probability
    seed: int = 0  # of sampling
    stop: str | None = None  # stop string, not included


@dataclass(frozen=True, kw_only=True)
class Serve:
    """How `serve` answers."""

    port: int = 5002  # of the model's server, on this machine only


@dataclass(frozen=True, kw_only=True)
class Report:
    """How reports are written."""

    language: Language = "en"  # of reports, figures and verdicts on the terminal: English, or Brazilian Portuguese (pt)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a command is given beside its sections."""

    base: Base = Base()
    task: Task = Task()
    arm: Arm = Arm()
    hardware: Hardware = Hardware()
    train: Train = Train()
    executor: Executor = Executor()
    tracking: Tracking = Tracking()
    privacy: Privacy = Privacy()
    report: Report = Report()
    study: Study = Study()
    sweep: Sweep = Sweep()
    tuning: Tuning = Tuning()
    paths: Paths = Paths()
    predict: Predict = Predict()
    serve: Serve = Serve()
    cell: str | None = None  # predict, export, register: the cell's id, or the start of it; null: the study's best cell
    export: str | None = None  # export: the directory to write
    export_format: ExportFormat = "safetensors"  # export: weights as the libraries load them, or one ONNX graph
    name: str | None = None  # register, challenge, serve: the name of the model in the registry
    publish: str | None = None  # report: folder for findings and compressed cells, to be committed
    published: str | None = None  # report: such a folder, to rebuild its report from, without base or data
    plan: bool = False  # study: print the cells and an estimate, train nothing
    debug: bool = False  # show tracebacks
