"""The other kinds of learning, as environments and agents of the same loop.

Each module here that is named in docs/lecture.md is an experiment and a command
(`python -m stages label_noise`); the others here are what experiments share.

Supervised
    `feedback`: answers against rewards. `label_noise`: wrong, few and lopsided examples.
    `features`: features by hand against pixels.
Kinds of data
    `tables`: boosted trees against a network. `generation`: recognition against generation.
    `sounds`: spectrograms against waveforms.
Unsupervised
    `codes`: what lies side by side in an autoencoder's codes. `compression`: codes against PNG.
    `reading`: codes as features. `purity`: what k-means' clusters are.
Pretraining
    `pretraining`: panda or rabbit. `policy_pretraining`: a policy that can see before it plays.
Language
    `pieces`: what text is cut into. `language`: who has read much needs few labels. `generate`
    goes on with a commentary; it is a command, and no experiment.
In-context
    `in_context`: examples in the prompt. `memory`: an agent finds out that up is down.
All of it
    `ages`, which is `python -m stages`: the five ages on one page.
Shared
    `experiment`: the command. `trials`: runs in parallel. `autoencoders`: those that four
    experiments look into. `intervals`: means over seeds. `slides`: figures.
`environments`
    The questions (`classify`, `regress`, `detect`, `reconstruct`, `cluster`, `shapes`,
    `commentary`, `prompts`, `sounds`, `translate`), each a `stage.Stage`; `examples` makes
    environments of it, `watching`, `turns` and `announcing` show it.
`agents`
    Who learns from the answers: `supervised`, `kmeans` and `gpt`.
"""
