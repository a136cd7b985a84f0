"""Every setting, typed, with its meaning. The frozen records here are the only form in which settings travel.

Types are checked by OmegaConf through `structured_config.py`, rules between fields in `rules/validate.py`.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

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

    name: str = ""  # how it is called; for source=hub, the hub's name of it
    source: Literal["package", "hub", "local"] = "hub"
    path: str | None = None  # package: folder in the package; local: a directory; hub: a GGUF file, null for the rest
    pooling: Pooling = (
        "auto"  # what a classifier's head reads; auto: as the base declares, or else as its own head does
    )
    prefix: str | None = None  # put before every text of a classifier; null: as the base declares
    revision: str | None = None  # hub: commit, tag or branch
    package: str | None = None  # package: its name and version, as pip takes it
    sha256: str | None = None  # of the weights; another content is refused
    licence: str = "unknown"
    upstream: str | None = None  # where the packaged copy comes from
    languages: tuple[str, ...] = ()
    pretraining_flops: float | None = None  # about 6 N D; null where unknown
    pretraining_source: str | None = None  # where that figure comes from
    test_text_seen: Literal["known_seen", "known_unseen", "unknown"] = "unknown"  # by pretraining, if it could be
    test_text_note: str = ""  # why
    token: str | None = field(default=None, metadata=SECRET)  # hub token; HF_TOKEN in the environment is better


Field = Literal["text", "label", "second", "score", "labels"]  # of an example; settings of Data name their columns
FIELDS: tuple[Field, ...] = get_args(Field)


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where labelled text comes from and how it is split."""

    source: Source = "file"
    path: str | None = None  # file, directory, hub name, or file in a package
    validation: str | None = None  # file: a separate validation file; hub and local: split name
    test: str | None = None  # file: a separate test file; hub and local: split name
    train_split: str = "train"  # hub and local: split to train on
    subset: str | None = None  # hub: configuration name
    revision: str | None = None  # hub: commit, tag or branch
    package: str | None = None  # package: its name and version, as pip takes it
    sha256: str | None = None  # of the file; another content is refused
    text: str = "text"  # column of the text
    second: str | None = None  # column of the second text, for kinds that read pairs
    label: str | None = "label"  # column of the label; null where the task needs none
    score: str | None = None  # column of a number, for kinds that tell one
    scale: tuple[float, ...] = (0.0, 1.0)  # the least and the greatest that it can be
    labels: str | None = None  # column of all labels of a text, for kinds that tell several; or one for each label, a;b
    separator: str = ";"  # between them
    label_pattern: str | None = None  # regular expression of each of them instead; in parentheses, what it is called
    label_names: dict[str, str] = field(default_factory=dict)  # shown instead of values; an empty one leaves them out
    group: str | None = None  # column of the group (writer, document): rows of one group stay in one of the sets
    where: dict[str, str] = field(default_factory=dict)  # keep rows whose column has the value: fr, fr|pt, true
    validation_size: int = 400  # rows held out for validation where there is no separate set (at most a tenth)
    test_size: int = 1500  # rows held out for the test where there is no separate set (at most a quarter)
    licence: str = "unknown"
    upstream: str | None = None
    token: str | None = field(default=None, metadata=SECRET)  # hub token; HF_TOKEN in the environment is better


@dataclass(frozen=True, kw_only=True)
class Range:
    """The values of one setting that a sweep may try: exactly one of the first five, each end included."""

    log: tuple[float, ...] = ()  # from, to, on a logarithmic scale
    uniform: tuple[float, ...] = ()  # from, to
    integer: tuple[int, ...] = ()  # from, to
    log_integer: tuple[int, ...] = ()  # from, to, on a logarithmic scale
    choice: tuple[Any, ...] = ()  # these values
    step: float | None = None  # uniform, integer: only every so many from the lower end
    when: dict[str, Any] = field(default_factory=dict)  # tried only where other settings have these values


@dataclass(frozen=True, kw_only=True)
class Task:
    """Data, objective and metrics."""

    name: str = ""
    kind: str = "classification"  # a file in pipeline/tasks, from multi-label classification to fill-mask
    metric: str = "accuracy"  # the one that claims speak of
    prompt: str | None = None  # for kinds that tell classes by their words: "{text} It was [MASK]."
    max_length: int = 128  # tokens; longer texts are truncated and counted
    deduplicate: bool = True  # remove from training what also stands in validation or test
    split_seed: int = 0  # fixes which rows are held out
    data: Data = Data()
    out_of_domain: dict[str, Data] = field(default_factory=dict)  # sets that are only ever tested on
    out_of_domain_size: int = 500  # rows of each, a fixed stratified sample; 0 for all
    space: dict[str, Range] = field(default_factory=dict)  # what a sweep on this task tries besides the arm's own


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The hyperparameters of an arm. Declared per arm, printed in every report."""

    lr: float = 5e-5  # peak learning rate
    weight_decay: float = 0.01
    warmup: float = 0.1  # share of the steps
    decay: Decay = "linear"
    cooldown: float = 0.2  # share of the steps, at the end, over which warmup_stable_decay decays
    epochs: float = 3.0  # passes over the train subset
    min_steps: int = 0  # at least this many steps, however small the subset
    max_steps: int = 0  # at most this many steps, however large the subset; 0: as many as the epochs take
    patience: int = 0  # early stopping: evaluations without a better validation score before it; 0: never


@dataclass(frozen=True, kw_only=True)
class Lora:
    """Low-rank adapters (Hu et al. 2021), through peft."""

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ()  # module names; empty: peft's choice for the architecture


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """A training on the task's own text, without its labels, from which all cells of an arm go on."""

    objective: Objective | None = None  # null: there is none
    size: int | str = "all"  # texts of the training set
    seed: int = 0  # of its subset, initialisation and order
    batch: int = 32
    recipe: Recipe = Recipe()


@dataclass(frozen=True, kw_only=True)
class Look:
    """How an arm looks in figures. An arm that has no look, or that of another one, takes a spare one."""

    light: str | None = None  # colour on light paper, #rrggbb; of runs in MLflow too
    dark: str | None = None  # on dark paper
    marker: Literal["o", "s", "^", "D", "v", "P", "X", "p", "*", "h", "d", "H"] = "o"


@dataclass(frozen=True, kw_only=True)
class Arm:
    """How the network starts and what is trained."""

    name: str = ""
    start: Literal["pretrained", "scratch"] = "pretrained"
    method: MethodName = "full"  # what is trained, and how: pipeline/methods
    head: Literal["fresh", "probe", "class_means"] = (
        "fresh"  # before the first step: random, solved, at the classes' means
    )
    shrink: float = 1.0  # of the base's layers, heads and widths, this share; below 1: no controlled comparison
    recipe: Recipe = Recipe()
    lora: Lora = Lora()
    pretraining: Pretraining = Pretraining()
    space: dict[str, Range] = field(default_factory=dict)  # what a sweep of this arm tries, by the setting's full name
    look: Look = Look()


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """Where and how a training is spread. Never changes the result."""

    name: str = "auto"
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = 1
    strategy: Literal["single", "ddp", "fsdp", "deepspeed"] = (
        "single"  # ddp: data parallel; the last two spread the network over devices
    )
    threads: int | None = None  # per worker; null: cores / workers
    launcher: Literal["own", "torchrun"] = (
        "own"  # torchrun: a cell's processes are those that torchrun has started, on any machines
    )
    timeout_minutes: float = 10.0  # a process that waits longer for the others of its cell gives up
    micro_batch: int | None = (
        None  # gradient accumulation: texts of a batch that a process computes at a time; null: its whole share
    )
    deterministic: bool = False  # on a GPU, the same bits each time, a third to half slower; the processor always is
    compile: bool = False  # layers are compiled for the GPU: quicker steps, of which the first are late
    recompute: bool = False  # gradient checkpointing: layers are computed again in the backward pass, a third slower


@dataclass(frozen=True, kw_only=True)
class Train:
    """One training. Fields that are null take the arm's recipe."""

    size: int | str = "all"  # training labels
    seed: int = 0  # one draw of subset, initialisation and order
    batch: int = 32  # global batch size, examples
    lr: float | None = None
    weight_decay: float | None = None
    warmup: float | None = None
    decay: Decay | None = None
    cooldown: float | None = None
    epochs: float | None = None
    min_steps: int | None = None
    max_steps: int | None = None
    patience: int | None = None
    clip: float = 1.0  # gradient norm
    dropout: float | None = None  # null: the base's own; the same for every arm
    precision: Precision = "auto"
    eval_every: int | None = None  # examples between evaluations at first; null: by size, the same for every arm
    samples: int = 8  # test texts shown beside a run, with what was said of them before and after training
    best_by: Literal["metric", "loss"] = "metric"  # which of validation's decides which weights are the best
    keep: Literal["seeds", "all", "best", "none"] = (
        "seeds"  # whose weights: every seed's within study.disk, all, or of each arm and size the best seed's
    )
    fit_memory: bool = False  # where there is no room, hardware.micro_batch and hardware.recompute are chosen
    checkpoint_every: str = "5min"  # a training is saved so often, to go on from there: 5min | 200steps | never


@dataclass(frozen=True, kw_only=True)
class Executor:
    """Where cells run."""

    name: Literal["local", "ray", "slurm"] = "local"
    workers: int | None = None  # cells at once; null: one per core (cpu), up to four per GPU, or what the cluster has
    address: str = "auto"  # of a Ray cluster: HOST:PORT; auto: the one that runs on this machine
    partition: str | None = None  # of a SLURM cluster, as sbatch takes it; so are the next two
    account: str | None = None
    qos: str | None = None
    timeout_minutes: float = 240.0  # a cell that takes longer is stopped and marked failed


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Where runs are recorded."""

    name: Literal["local", "server", "none"] = "local"
    uri: str | None = field(default=None, metadata=SECRET)  # server: its URL; local: null, SQLite under paths.root
    port: int = 5000  # of the dashboard


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """How much of the data's own text is shown to people who look at results."""

    texts: Literal["auto", "none", "few", "all"] = (
        "auto"  # beside reports and with runs; auto: few, but none where runs are recorded on a server
    )


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a study sets out to judge, stated before it runs."""

    statement: str = ""  # the claim in words
    metric: ClaimMetric = "score"
    arm: str = "pretrained"
    against: str = "scratch"  # an arm, or best_from_scratch: of each seed the best on validation
    size: int | str = "largest"  # labels, or smallest | largest
    dataset: str = "test"  # or the name of an out-of-domain set
    direction: Direction = "higher"  # which way `arm` should differ
    delta: float = 0.02  # smallest effect size that matters, > 0; for ratios and multipliers, the factor
    test: ClaimTest = "superior"  # superior: by delta or more; not_inferior, equivalent: but for margin
    margin: float | None = None  # > 0: the loss, or for equivalent the difference, that does not matter


@dataclass(frozen=True, kw_only=True)
class Study:
    """Cells plus the analysis that answers one question."""

    name: str = ""
    question: str = ""
    arms: tuple[str, ...] = ()  # names of arms, ARM@BASE for one on another base than the study's
    sizes: tuple[int | str, ...] = ()
    seeds: tuple[int, ...] = ()
    target: float | None = None  # validation score that cost to target refers to
    early_examples: int = 320  # "soon after the start"
    confidence: float = 0.95
    claims: dict[str, Claim] = field(default_factory=dict)
    looks: tuple[int, ...] = ()  # numbers of seeds at which claims are judged; empty: once, at all of study.seeds
    spend: tuple[float, ...] = ()  # the share of the error that each look may use, 1 in all; empty: one look uses it
    reserve: float = 0.0  # of the error, the share that is kept for looks that are added later; spend sums to the rest
    until: Literal["settled", "all"] = "settled"  # settled: after the first look, only cells that open claims read
    audits: tuple[str, ...] = ()  # what cells are examined for beside their scores; calibration always is if it can be
    disk: str = "5GB"  # for weights, with train.keep=seeds: as many seeds as fit, and the best of each arm and size
    budget: str | None = None  # 10min, 2h, 40 cells or 2e15 FLOPs: no cell is begun beyond it, then one last look


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A search over one arm's settings, judged on validation."""

    name: str = ""  # how it is resumed; empty: TASK-ARM-SIZE
    trials: int = 20  # in all, those of earlier runs included; lost ones are run again and do not count
    workers: int | None = None  # cells at once on this machine; null: as executor.workers
    sampler: Sampler = "tpe"
    pruner: Pruner = "median"
    seed: int = 0  # of the sampler
    seeds: tuple[int, ...] = ()  # a trial is the mean over these seeds of train; empty: train.seed alone
    space: dict[str, Range] = field(default_factory=dict)  # added to the arm's and the task's own; these come first
    only: tuple[str, ...] = ()  # of all these, the settings to try; empty: all
    objectives: tuple[str, ...] = ("score",)  # score | loss | flops | seconds | memory | parameters | stored_bytes
    constraints: dict[str, float] = field(default_factory=dict)  # objective: the most it may be
    from_recipe: bool = True  # the first trial is the arm's own recipe, where the space holds it
    startup_trials: int = 5  # before the sampler learns and the pruner prunes
    warmup_examples: int | None = None  # before a trial can be pruned; null: 20 steps
    allow: tuple[str, ...] = ()  # settings of the data or the arm that the space may touch all the same
    storage: str | None = field(default=None, metadata=SECRET)  # postgresql://...; null: SQLite under paths.root
    grace_seconds: int = 60  # without a sign of life, after which another machine's trial is taken for lost
    restart: bool = False  # forget the sweep of this name and begin again
    port: int = 8080  # of the sweep-dashboard, on this machine alone


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The sweeps that a study begins with: the same number of trials for every arm. How they search, `sweep` says."""

    trials: int = 0  # for each arm, before its cells are trained; 0: recipes as they stand
    size: int | str | None = None  # labels at which arms are tuned, for all sizes; null: at each size by itself


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Where results go."""

    root: str = "outputs"


@dataclass(frozen=True, kw_only=True)
class Predict:
    """What `predict` reads and writes."""

    text: str | None = None  # one text
    path: str | None = None  # a CSV, or a text file with one text a line; null and no text: standard input
    second: str | None = None  # the second text, where the cell reads pairs
    column: str = "text"  # of the CSV
    second_column: str = "second"  # of the CSV, where the cell reads pairs
    output: str | None = None  # a CSV to write; null: standard output
    tokens: int = 40  # of a continuation, at most; so are the next four
    temperature: float = 0.0  # 0: the likeliest token each time; else they are drawn, the more evenly the higher
    top_p: float = 1.0  # drawn among the likeliest that have this probability together
    seed: int = 0  # of what is drawn
    stop: str | None = None  # a continuation ends before this


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole of it."""

    base: Base = Base()
    task: Task = Task()
    arm: Arm = Arm()
    hardware: Hardware = Hardware()
    train: Train = Train()
    executor: Executor = Executor()
    tracking: Tracking = Tracking()
    privacy: Privacy = Privacy()
    study: Study = Study()
    sweep: Sweep = Sweep()
    tuning: Tuning = Tuning()
    paths: Paths = Paths()
    predict: Predict = Predict()
    cell: str | None = None  # predict, export: the cell's id or its first letters; null: the best of the study
    export: str | None = None  # export: the directory to write
    export_format: ExportFormat = "safetensors"  # export: weights as the libraries load them, or one ONNX graph
    publish: str | None = None  # report: a folder to write findings and compressed cells into, to be committed
    published: str | None = None  # report: such a folder; its report is made without base, data and other settings
    plan: bool = False  # study: print the cells and an estimate, train nothing
    debug: bool = False  # show tracebacks
