"""Tests of language: transformer, commentator, tokenizer and GPT."""

from __future__ import annotations

import collections
import itertools
import json
import math
import unicodedata
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pygame
import pytest
import torch
from torch import nn

import train
from agents.checkpointing import under
from agents.networks.transformer import Transformer
from envs.paddle.rules import intercept
from playing.app import record
from playing.selection import read
from rewards.make import make_single
from stages.__main__ import main
from stages.datasets.commentary import UNJUDGED, Commentary, Verdict
from stages.datasets.commentator import BAD, GOOD, of_paddle
from stages.datasets.commented_games import COMMENTED_GAMES, commentaries, fields, remarks_on
from stages.datasets.dataset import examples_of
from stages.datasets.grammar import GAP, GRAMMARS, sentence
from stages.datasets.tokenizer import (
    END,
    decoded,
    encoded,
    pieces_of,
    tokenizer,
    training_text,
    unknown_letters,
    written,
)
from stages.lab.texts import load
from stages.lab.trials import Point, Pretrained
from stages.pictures.token_lines import LETTERS, LINE, Piece, write_pieces
from stages.pretraining import generate, next_token, splitting, token_map, tokens
from stages.viewers.commentary import SIDE
from tests.test_training import assert_same_checkpoint, run_train
from training.config import RunConfig
from training.run_folder import load_checkpoint
from training.vector_runner import VectorRunner, make_environments

SMALL = ("--width", 16, "--layers", 1, "--heads", 2, "--eval-episodes", 20, "--num-envs", 16)
READ = ("--env", "commentary", *SMALL)
FEW: dict[str, Any] = {"examples": 400, "test_examples": 100}  # commentaries take time to generate
FEW_OPTIONS = ("--env-options", *(f"{name}={value}" for name, value in FEW.items()))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a short run of a language model."""
    place = tmp_path_factory.mktemp("runs")
    return run_train(
        *(*READ, "--run-dir", place, "--steps", 6_400, "--eval-every", 6_400),
        *("--learning-rate", 0.01, *FEW_OPTIONS),
    )


# --- The transformer


def test_a_transformer_is_torchs_with_a_causal_mask() -> None:
    """Each block is compared with an encoder layer of torch that has the same weights."""
    ours = Transformer(12, 2, 3, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in ours.parameters():  # larger than initialised, including biases
            parameter.add_(0.3 * torch.randn(parameter.shape))
    theirs = []
    for block in ours.blocks:
        layer = nn.TransformerEncoderLayer(
            12, 3, 48, 0.0, "gelu", batch_first=True, norm_first=True
        )
        state = {name: torch.zeros_like(p) for name, p in layer.state_dict().items()}
        for name, weights in block.state_dict().items():
            state[
                {
                    "attention.qkv.weight": "self_attn.in_proj_weight",
                    "attention.proj.weight": "self_attn.out_proj.weight",
                    "mlp.fc.weight": "linear1.weight",
                    "mlp.proj.weight": "linear2.weight",
                }.get(name, name.replace("attention_norm", "norm1").replace("mlp_norm", "norm2"))
            ] = weights
        layer.load_state_dict(state)
        theirs.append(layer)
    vectors = torch.randn(4, 7, 12)
    expected, mask = vectors, nn.Transformer.generate_square_subsequent_mask(7)
    for layer in theirs:
        expected = layer(expected, src_mask=mask)
    torch.testing.assert_close(ours(vectors), ours.norm(expected), atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match="multiple of --heads"):
        Transformer(12, 1, 5, torch.Generator())


# --- The commentator


def test_both_grammars_cover_every_event() -> None:
    """Every name in a wording is in the grammar, or a fact of all remarks on that game."""
    english, korean = GRAMMARS["en"], GRAMMARS["ko"]
    assert english.keys() == korean.keys()
    told = {
        name: [remark for remarks in remarks_on(game, (3,)) for remark in remarks]
        for name, game in COMMENTED_GAMES.items()
    }
    seen = {remark.event for remarks in told.values() for remark in remarks}
    events = {name for name in english if name.startswith(("paddle ", "ride "))}
    assert seen <= events
    assert len(seen) > 0.8 * len(events)
    for remark in itertools.chain(*told.values()):
        for grammar in (english, korean):
            wanted = [remark.event, *remark.facts.values()]
            for name in wanted:
                for gap in GAP.findall(" ".join(grammar[name])):
                    assert remark.facts.get(gap, gap) in grammar
    draws = np.random.default_rng(0)
    remark = told["bicycle"][0]
    different = {sentence(remark.event, remark.facts, "en", draws) for _ in range(100)}
    assert len(different) > 5


def test_verdicts_agree_with_how_the_game_continues() -> None:
    """A waiting paddle hits without moving; where it is "too late", the best player misses."""
    env = make_single("paddle")
    draws = np.random.default_rng(0)
    found: collections.Counter[str] = collections.Counter()
    for _ in range(150):
        state = {
            "ball_x": draws.uniform(0.1, 0.9),
            "ball_y": draws.uniform(0, 1),
            "ball_vx": -draws.uniform(0.02, 0.04),
            "ball_vy": draws.uniform(-0.03, 0.03),
            "paddle_y": draws.uniform(0.1, 0.9),
        }
        observation, _ = env.reset(seed=0, options={"state": state})
        before = fields(env.state)
        remark = of_paddle(before, before)
        found[remark.event] += 1
        over = False
        while not over and env.state.hits == 0:
            best = int(intercept(observation[None])[0])
            waits = remark.event == "paddle waits"
            observation, _, over, _, _ = env.step(1 if waits else best)
        after = of_paddle(before, fields(env.state))
        assert after.event == ("paddle misses" if over else "paddle hits")
        assert after.verdict == (BAD if over else GOOD)
        if remark.verdict is not None:
            assert remark.verdict == after.verdict
        else:
            assert remark.event == "paddle hurries"
    assert min(found[f"paddle {way}"] for way in ("waits", "hurries", "is far")) > 5


# --- Byte-pair encoding


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_tokens_decode_to_their_text(lang: str) -> None:
    made = tokenizer(lang, 400)
    assert made.get_vocab_size() == 400
    told = list(itertools.islice(commentaries("both", lang, 5), 50))
    for game in told:
        texts = [text for text, _ in game]
        cut = encoded(made, texts)
        assert [decoded(made, tokens) for tokens in cut] == texts
        assert len(pieces_of(made, texts[0])) == len(cut[0])
    first = tokenizer.__wrapped__(lang, 400)
    assert first.to_str() == made.to_str()  # the same options, the same tokenizer


def test_each_merge_is_the_most_frequent_pair() -> None:
    """Pairs are counted again over the same words; any of equally frequent pairs may be next."""
    made = tokenizer("en", 110)
    joins = [tuple(pair) for pair in json.loads(made.to_str())["model"]["merges"]]
    words: collections.Counter[tuple[str, ...]] = collections.Counter()
    for text in training_text("en"):
        for word, _ in made.pre_tokenizer.pre_tokenize_str(text):
            words[tuple(word)] += 1
    for join in joins:
        pairs: collections.Counter[tuple[str, ...]] = collections.Counter()
        for word, count in words.items():
            for pair in itertools.pairwise(word):
                pairs[pair] += count
        assert pairs[join] == max(pairs.values())
        words = collections.Counter({joined(word, join): n for word, n in words.items()})
    assert len(joins) > 20


def joined(word: tuple[str, ...], pair: tuple[str, ...]) -> tuple[str, ...]:
    parts: list[str] = []
    for part in word:
        if parts and (parts[-1], part) == pair:
            parts[-1] += part
        else:
            parts.append(part)
    return tuple(parts)


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.filterwarnings("error:Glyph")
def test_larger_vocabularies_need_fewer_tokens(lang: str, verdicts_of: Any) -> None:
    found: dict[Any, Any] = {}

    def few_games(split: splitting.Split) -> Any:
        assert split.lang == lang
        found[split.size] = splitting.split_sentences(split._replace(games=5))
        return found[split.size]

    assert verdicts_of("tokens", lang, few_games) == (0, 0)
    counts = [found[size]["tokens", size] for size in tokens.SIZES]
    assert counts == sorted(counts, reverse=True)
    words = [found[size]["words", size] for size in tokens.SIZES]
    assert words == sorted(words)


def test_jamo_make_up_every_korean_syllable() -> None:
    """Syllables and their jamo are numbered in the Unicode standard (section 3.12)."""
    made = tokenizer("ko", 100)
    for text in ("과연 값 뷁 쒀 힣", "".join(map(chr, range(ord("가"), ord("힣") + 1)))):
        assert decoded(made, encoded(made, [text])[0]) == text
        assert not unknown_letters(made, text)
    hundreds = made.get_vocab().keys()
    syllable = ord("올") - ord("가")
    parts = 0x1100 + syllable // 588, 0x1161 + syllable % 588 // 28, 0x11A7 + syllable % 28
    assert set(map(chr, parts)) <= hundreds
    assert unicodedata.normalize("NFD", "올") == "".join(map(chr, parts))


def test_an_ending_that_begins_inside_a_syllable_is_a_token() -> None:
    sentence = "과연 잘 나올지 두근두근"
    assert "ㄹ지" in pieces_of(tokenizer("ko", 150), sentence)
    assert pieces_of(tokenizer("ko", 400), sentence) == ["▁과연", "▁잘", "▁나올지", "▁두근두근"]


@pytest.mark.parametrize(
    ("lang", "unknown", "back"),
    [
        ("en", "ü 漢 < >", "Zu<?>rich <?> <?>end<?> 3?"),
        ("ko", "Z ü r i c h 漢 < e n d >", f"{'<?>' * 7} <?> {'<?>' * 5} 3?"),  # ü is u and ¨
    ],
)
def test_no_letter_vanishes(lang: str, unknown: str, back: str) -> None:
    """Each unknown letter is a token; a marker such as <end> is text like any other."""
    made, text = tokenizer(lang, 400), "Zürich 漢 <end> 3?"
    assert unknown_letters(made, text) == unknown
    assert decoded(made, encoded(made, [text])[0]) == back


def test_tokens_of_a_text_of_ones_own(verdicts_of: Any, tmp_path: Path, capsys: Any) -> None:
    out = ["--seeds", "2", "--workers", "1", "--out", str(tmp_path / "slide.png")]
    assert main(["tokens", "--text", "과연 漢 잘 나올지", *out]) == 0
    printed = capsys.readouterr().out
    assert "▁과연 | ▁ | <?> | ▁잘 | ▁나올지" in printed
    assert load("tokens", "ko")["unknown"].format(piece="<?>", letters="漢") in printed
    for wrong in ("", "a" * 81):
        assert main(["tokens", "--text", wrong, *out]) == 2
        assert "--text must have 1 to 80 letters" in capsys.readouterr().err


# --- The datasets


def test_the_next_token_is_what_the_text_says() -> None:
    dataset = Commentary(examples=60, test_examples=100)
    windows, targets, _ = examples_of(dataset, "train")
    assert np.array_equal(targets.ravel()[:-1], windows.ravel()[1:])
    assert np.array_equal(windows[:20], dataset.sample(20, 0).observations)
    assert not np.array_equal(windows[:20], examples_of(dataset, "test").observations[:20])
    text = [
        text for game in itertools.islice(commentaries("both", "en", 0), 40) for text, _ in game
    ]
    assert " ".join(text).startswith(dataset.decoded(windows.ravel()[:-20]).replace("\n", " "))
    env = make_environments("Commentary-v0", 4, {"examples": 60})
    runner = VectorRunner(env, 0)
    predictions = np.zeros((4, dataset.window), np.int64)
    predictions[:, :6] = runner.observations[:, 1:7]
    step, episodes = runner.step(predictions)
    assert episodes is not None
    assert step.labels is not None
    expected = [np.mean(g == a) for g, a in zip(predictions, step.labels, strict=True)]
    assert min(expected) >= 0.25  # six of 24, and ends of games
    np.testing.assert_allclose(episodes.scores, expected)
    np.testing.assert_allclose(episodes.returns, np.subtract(expected, 1))


def test_a_verdict_is_about_the_last_sentence() -> None:
    verdicts: dict[str, set[int | None]] = collections.defaultdict(set)
    for game in itertools.islice(commentaries("both", "en", 0), 600):
        for text, verdict in game:
            verdicts[text].add(verdict)
    dataset = Verdict(examples=40)
    windows, targets, _ = examples_of(dataset, "train")
    assert targets.tolist() == [BAD, GOOD] * 20
    known = 0
    for window, target in zip(windows, targets.tolist(), strict=True):
        text = dataset.decoded(window)
        last = text[text.rindex(".", 0, -1) + 1 :].strip() if text.count(".") > 1 else text
        assert text.endswith(".")
        known += last in verdicts
        assert last not in verdicts or target in verdicts[last]
    assert known > 30
    tokens, marks = next(dataset.text(0))
    assert tokens[-1] == END
    assert marks[-1] == UNJUDGED


# --- Training a GPT


def test_training_counts_each_token_and_can_be_resumed(reader: Path, tmp_path: Path) -> None:
    found = json.loads((reader / "evaluation.json").read_text())
    assert found["feedback_numbers"] == 6_400 * 24
    commonest = np.bincount(examples_of(Commentary(**FEW), "test").targets.ravel()).max() / 2_400
    assert found["mean_score"] > commonest + 0.1
    given = (
        *(*READ, "--learning-rate", 0.01, *FEW_OPTIONS),
        *("--eval-every", 1_600),
    )
    half = run_train(*given, "--run-dir", tmp_path, "--steps", 800)
    # the learning rate depends on the planned steps, so that only equal plans agree
    whole = run_train(*given, "--run-dir", tmp_path / "b", "--steps", 800)
    assert_same_checkpoint(half, whole)
    run_train("--resume", half, "--steps", 1_600)
    run_train("--resume", whole, "--steps", 1_600)
    assert_same_checkpoint(half, whole)


def test_a_frozen_backbone_stays_and_its_head_learns(reader: Path, tmp_path: Path) -> None:
    judge = run_train(
        *("--env", "verdict", *SMALL, "--run-dir", tmp_path, "--pretrained", reader, "--freeze"),
        *("--steps", 3_200, "--learning-rate", 0.03, *FEW_OPTIONS, "--eval-episodes", 100),
    )
    before, after = (under("agent.network.", load_checkpoint(run)[0]) for run in (reader, judge))
    for name, weights in before.items():
        if name.startswith("backbone."):
            assert torch.equal(weights, after[name])
    assert after["head.weight"].shape == (2, 16)
    found = json.loads((judge / "evaluation.json").read_text())
    assert found["mean_score"] > 0.55  # chance is 0.5
    assert found["feedback_numbers"] == 3_200


def test_features_do_not_depend_on_later_tokens(reader: Path) -> None:
    agent, dataset = generate.load(reader)
    windows = dataset.sample(2, 9).observations.copy()
    predictions = agent.logits(windows)
    windows[:, 12:] = 5
    torch.testing.assert_close(agent.logits(windows)[:, :12], predictions[:, :12])
    assert not torch.allclose(agent.logits(windows)[:, 12:], predictions[:, 12:])


def test_generate_continues_a_text(reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(reader), "--start", "The ball", "--sentences", "2", "--seed", "3"]
    assert main(["generate", *arguments]) == 0
    text = capsys.readouterr().out
    assert text.startswith("The ball")
    assert main(["generate", *arguments]) == 0
    assert capsys.readouterr().out == text
    assert main(["generate", *arguments[:1], "--start", "Zürich", "--sentences", "1"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("Zu<?>rich")
    assert "letters of --start that the run has never read: ü" in shown.err
    agent, dataset = generate.load(reader)
    start = dataset.sample(1, 9).observations[0]
    greedy = list(agent.continuation(start, 30, 0.0, np.random.default_rng(0)))
    seen = start.tolist()
    for token in greedy:  # the most probable after the window
        row = np.array(seen[-dataset.window :])
        assert token == agent.act(row[None], explore=False)[0, -1]
        seen.append(token)


def test_the_map_of_tokens_shows_the_nearest_vectors(
    reader: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agent, dataset = generate.load(reader)
    words, vectors = token_map.words_and_vectors(agent, dataset)
    table = agent.network.backbone.token_embedding.weight.detach().numpy()
    made = tokenizer("en", dataset.pieces)
    for word, vector in zip(words[:5], vectors, strict=False):
        (row,) = (k for k in range(len(table)) if written(made, k) == f" {word}")
        assert np.array_equal(table[row], vector)
    near = token_map.neighbours(vectors)
    for k in (0, 7):
        cosines = nn.functional.cosine_similarity(
            torch.tensor(vectors), torch.tensor(vectors[k : k + 1])
        )
        assert cosines.argsort(descending=True)[1:5].tolist() == near[k].tolist()
    slide = tmp_path / "map.png"
    assert main(["token_map", str(reader), "--lang", "ko", "--out", str(slide)]) == 0
    assert ", ".join(words[other] for other in near[0])[:20] in capsys.readouterr().out
    assert slide.stat().st_size > 10_000


def test_a_sentence_is_its_own_training_examples(reader: Path, capsys: Any) -> None:
    agent, dataset = generate.load(reader)
    text = "The ball comes."
    made = tokenizer("en", dataset.pieces)
    tokens = [END, *encoded(made, [text])[0].tolist()]
    found = next_token.examples(agent, dataset, text)
    assert "".join(example.label for example in found).strip() == text
    for k, example in enumerate(found):
        assert (
            f"{example.before}{example.label}".strip()
            == "".join(each.label for each in found[: k + 1]).strip()
        )
        logits = agent.logits(np.array([tokens[: k + 1]]))[0, -1]
        likely = [written(made, int(token)) for token in logits.topk(5).indices]
        assert [word for word, _ in example.likely] == likely
        shares = logits.softmax(0).topk(5).values.tolist()
        assert [share for _, share in example.likely] == pytest.approx(shares, abs=1e-5)
        assert example.right == (likely[0] == example.label)
    assert main(["next_token", str(reader), "--text", text, "--lang", "ko"]) == 0
    right = sum(example.right for example in found)
    assert f"예제 {len(found)}개 중 {right}개" in capsys.readouterr().out
    assert main(["next_token", str(reader), "--text", " "]) == 2
    assert capsys.readouterr().err == "stages next_token: --text must have letters\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "commentary", "--env-options", "language=fr"], "must be en or ko, got 'fr'"),
        (["--env", "commentary", "--env-options", "noise=0.1"], "option `noise` must be 0"),
        (["--env", "commentary", "--env-options", "pieces=20"], "between 300 and 695, got 20"),
        (["--env", "commentary", "--heads", "5"], "multiple of --heads, got 64 of 5"),
        (["--env", "commentary", "--warmup", "1"], "--warmup must be between 0 and 1, got 1.0"),
        (["--env", "verdict", "--feedback", "reward"], "must be answer, got 'reward'"),
        (["--env", "verdict", "--pretrained", "RUN", *SMALL[:4]], "it has 2 heads, not 4"),
        (
            [
                "--env",
                "verdict",
                "--pretrained",
                "RUN",
                *SMALL,
                *FEW_OPTIONS,
                "language=ko",
            ],
            "its language is en, not ko",
        ),
        (["--env", "commentary", "--agent", "ppo"], "actions must be"),
        (["--env", "paddle", "--agent", "gpt"], "sequences of tokens"),
    ],
)
def test_wrong_input_gets_one_line(
    arguments: list[Any],
    message: str,
    reader: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = tmp_path / "runs"
    given = [str(reader if argument == "RUN" else argument) for argument in arguments]
    if given[1] != "paddle" and "--env-options" not in given:
        given += FEW_OPTIONS
    capsys.readouterr()
    assert train.main([*given, "--run-dir", str(place)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not place.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no run folder nowhere"),
        (["RUN", "--sentences", "0"], "--sentences must be at least 1"),
        (["RUN", "--temperature", "-1"], "--temperature must be between 0 and 10"),
    ],
)
def test_wrong_arguments_of_generate_get_one_line(
    arguments: list[str], message: str, reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(reader) if argument == "RUN" else argument for argument in arguments]
    assert main(["generate", *given]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


# --- The viewer


def test_the_agents_own_tokens_enter_its_observation() -> None:
    env: Any = gymnasium.make("Commentary-v0", render_mode="rgb_array", **FEW)
    observation, _ = env.reset(seed=1)
    dataset = Commentary()
    made = tokenizer("en", dataset.pieces)
    own = encoded(made, ["The ball flies on and on and on"])[0]
    missed, said, over = 0, 0, False
    info: dict[str, Any] = {}
    while not over:
        prediction = np.full(dataset.window, own[said % len(own)])
        before = observation
        observation, paid, terminated, truncated, info = env.step(prediction)
        over, reward = terminated or truncated, float(paid)
        assert observation.shape == (dataset.window,)
        if np.array_equal(observation[:-1], before[1:]) and reward == 0.0:
            said += observation[-1] == prediction[-1]
        missed += reward < 0
    assert said > 5
    assert missed > 20
    assert 0 <= info["score"] < 0.5
    picture = np.asarray(env.render())
    assert picture.shape == (SIDE, SIDE, 3)


def test_long_sentences_stay_in_two_lines() -> None:
    surface = pygame.Surface((SIDE, SIDE))
    words = [Piece(f" wor{'d' * (k % 9)}", (255, 255, 255)) for k in range(80)]
    write_pieces(surface, words, 100, None)
    lit: Any = pygame.surfarray.array3d(surface).any(2)
    rows, columns = np.flatnonzero(lit.any(0)), np.flatnonzero(lit.any(1))
    assert columns.min() >= 12
    assert columns.max() < SIDE
    assert rows.min() > 100 - LETTERS
    assert rows.max() < 100 + LINE + LETTERS


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_it_is_recorded_by_play(
    lang: str, reader: Path, without_korean_letters: None, tmp_path: Path
) -> None:
    """Without a Korean font, the video shows English and a line that explains it."""
    if lang == "en":
        given = [str(reader)]
    else:
        given = ["--env", "commentary", "--agent", "random", *FEW_OPTIONS, "language=ko"]
    film = tmp_path / "out.gif"
    record(read([*given, "--seed", "1"]), film, most_seconds=1.0)
    assert film.stat().st_size > 5_000


# --- The experiment


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.filterwarnings("error:Glyph")
def test_a_table_a_slide_and_conclusions(lang: str, verdicts_of: Any) -> None:
    """Made-up trials in which every claim holds, and then some in which none does."""

    def made_up(config: RunConfig, better: float) -> Any:
        assert config.env_options["language"] == lang
        if config.env == "Commentary-v0":
            return Pretrained(Path(str(config.env_options["examples"])), [Point(1, 1, 0.7, {})])
        windows = int(Path(config.pretrained).name) if config.pretrained else 0
        gain = 0.08 * math.log10(1 + windows) + 0.05 * (windows > 0 and not config.freeze)
        score = 0.5 + better * gain + 0.001 * config.seed
        return [Point(1, 1, score, {})]

    assert verdicts_of("language", lang, lambda config: made_up(config, 1.0)) == (4, 0)
    assert verdicts_of("language", lang, lambda config: made_up(config, -1.0)) == (0, 4)
