"""The grammars of the commentators, in English and Korean.

Each name has a few wordings, of which one is chosen at random. In a wording, `{name}` stands for a
wording of that name, or, where the facts of the event contain the name, for one of the fact. Names
that start with `paddle` or `ride` are events; each is a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

Grammar = Mapping[str, tuple[str, ...]]

ENGLISH: Grammar = {
    "wow": ("oh", "oh no", "no", "look at that", "careful"),
    "yes": ("yes", "well done", "wonderful", "there it is", "good"),
    "left": ("to the left", "left", "to the left side"),
    "right": ("to the right", "right", "to the right side"),
    "paddle begins": (
        "a new ball is in play",
        "here we go, {ball} is off",
        "the game begins",
        "a fresh ball, and {ball} flies {pace}",
        "and so it starts: {ball} {flies} {drifts}",
    ),
    "paddle hits": (
        "{yes}, {a hit}",
        "{a hit}, and {ball} is on its way back",
        "{the paddle} sends {ball} back",
        "{the paddle} gets it, {yes}",
        "{ball} comes off {the paddle}, {yes}",
        "returned, that makes {count}",
        "that is {count}, {yes}",
    ),
    "paddle misses": (
        "{wow}, {a miss}",
        "{a miss}, {the paddle} was {short}",
        "{ball} slips past {the paddle}",
        "{ball} is out, and the game is over",
        "past {the paddle} it goes, {wow}",
        "{the paddle} is {short}, and {ball} is gone",
    ),
    "paddle watches": (
        "{ball} {flies} {drifts}",
        "{pace} it goes, {drifts}",
        "{ball} is now {stands}, flying {pace}",
        "{stands}, {ball} {flies} {drifts}",
        "away it {flies}, {pace}",
        "{ball} is on its way to the wall, {drifts}",
    ),
    "paddle waits": (
        "{ball} heads {heads}, and {the paddle} {is} {waits}",
        "{ball} comes back {heads}, {the paddle} {is} {waits}",
        "{the paddle} {is} {waits}, and {heads} {ball} comes",
        "{heads} now, where {the paddle} is waiting",
        "{the paddle} is in its way, {yes}",
        "that should be an easy one, {the paddle} {is} {waits}",
    ),
    "paddle hurries": (
        "{ball} heads {heads}, {the paddle} has some way to go",
        "{heads} it comes, and {the paddle} has to hurry",
        "{the paddle} {is} {waits} still, but there is time",
        "{ball} comes closer, {pace}, and {the paddle} runs",
    ),
    "paddle is late": (
        "{the paddle} will not get there",
        "{ball} heads {heads}, that is too far",
        "{wow}, {the paddle} is too late",
        "{ball} comes {pace}, {the paddle} cannot reach it",
        "nobody is there, and {ball} comes {heads}",
    ),
    "paddle is far": (
        "{ball} heads {heads}, and {the paddle} {is} {waits}",
        "{ball} comes back {heads}, {the paddle} {is} {waits}",
        "{the paddle} {is} {waits}, and {heads} {ball} comes",
        "{the paddle} will not get there, {ball} heads {heads}",
        "{wow}, {the paddle} {is} {waits}, too late",
    ),
    "ball": ("the ball", "the ball", "it", "the little square"),
    "the paddle": ("the paddle", "the paddle", "our player", "the bat"),
    "is": ("is", "stands", "stays"),
    "flies": ("flies", "goes", "sails", "travels"),
    "a hit": ("a hit", "a clean hit", "hit", "a fine return", "a good save"),
    "a miss": ("a miss", "missed", "it is missed", "a ball lost"),
    "slow": ("slowly", "at an easy pace", "gently"),
    "fast": ("fast", "like an arrow", "at full speed", "quickly"),
    "to top": ("to the top", "up high", "for the upper corner"),
    "to middle": ("to the middle", "for the centre", "straight in"),
    "to bottom": ("to the bottom", "down low", "for the lower corner"),
    "at top": ("at the top", "high up", "near the ceiling"),
    "at middle": ("in the middle", "at the centre", "halfway up"),
    "at bottom": ("at the bottom", "low down", "near the floor"),
    "up": ("upwards", "rising", "on the way up"),
    "down": ("downwards", "falling", "on the way down"),
    "too high": ("too high", "above it", "a little too high"),
    "too low": ("too low", "below it", "a little too low"),
    "one": ("one", "number one"),
    "two": ("two", "number two"),
    "three": ("three", "number three"),
    "many": ("many", "quite a few", "a long row of them"),
    "ride begins": (
        "a new ride begins",
        "{the rider} sets off",
        "off goes {the rider}, {speed}",
        "here comes {the rider} on the bicycle",
    ),
    "ride falls": (
        "{wow}, {the rider} falls {side}",
        "down {side} goes {the rider}",
        "a fall, {side}, and the ride is over",
        "{the rider} lies on the ground",
        "that was too much, {the rider} is down",
        "{the bicycle} tips over {side}",
    ),
    "ride topples": (
        "{the bicycle} leans far {side} and further still",
        "{wow}, {the rider} is going over {side}",
        "{the bicycle} tilts more and more {side}",
        "{the rider} is losing it, {side}",
        "this lean {side} is getting worse",
    ),
    "ride recovers": (
        "{the bicycle} leans {side}, but it is coming up again",
        "{yes}, {the rider} catches it",
        "from far {side}, {the bicycle} rights itself",
        "{the rider} is getting it back, {yes}",
        "this lean {side} is getting smaller",
    ),
    "ride steers into it": (
        "{the bicycle} leans {side}, and the handlebar goes {turn}",
        "leaning {side}, steering {turn}",
        "{the rider} steers {turn}, the lean is {side}",
        "{the rider} turns into the fall, {yes}",
        "{turn} goes the front wheel, and {side} leans {the rider}",
    ),
    "ride steers away": (
        "{the bicycle} leans {side}, and the handlebar goes {turn}",
        "leaning {side}, steering {turn}",
        "{the rider} steers {turn}, the lean is {side}",
        "{the rider} turns the wrong way, {wow}",
        "{turn} goes the front wheel, and {side} leans {the rider}",
    ),
    "ride is steady": (
        "{the rider} rides on, {upright}",
        "{upright}, {the rider} is in control",
        "{the bicycle} rolls along, {upright}",
        "nothing to worry about, {yes}",
        "a calm ride, {upright}",
    ),
    "ride rolls": (
        "{the rider} {drive}",
        "{the rider} {drive}, {speed}",
        "{speed} now, {the rider} {drive}",
        "{the rider} {drive} and looks ahead",
    ),
    "the rider": ("the rider", "the rider", "our rider", "the cyclist"),
    "the bicycle": ("the bicycle", "the bicycle", "the bike", "the machine"),
    "upright": ("upright", "quite straight", "steady", "in good balance"),
    "pedals": ("pedals", "pushes the pedals", "works hard"),
    "coasts": ("lets it roll", "rests the legs", "coasts"),
    "brakes": ("brakes", "pulls the brake", "slows down"),
}
KOREAN: Grammar = {
    "wow": ("이런", "아이고", "앗", "안 돼요", "조심해요"),
    "yes": ("좋아요", "잘했어요", "훌륭해요", "바로 그거예요", "멋져요"),
    "left": ("왼쪽으로", "왼편으로"),
    "right": ("오른쪽으로", "오른편으로"),
    "paddle begins": (
        "새 공이 나왔습니다",
        "자, {ball} 출발합니다",
        "경기가 시작됩니다",
        "새 공입니다, {ball} {pace} 날아갑니다",
        "이렇게 시작합니다, {ball} {drifts} {flies}",
    ),
    "paddle hits": (
        "{yes}, {a hit}",
        "{a hit}, {ball} 되돌아갑니다",
        "{the paddle} 공을 돌려보냅니다",
        "{the paddle} 막아 냅니다, {yes}",
        "{ball} 튕겨 나갑니다, {yes}",
        "받아 냅니다, {count}",
        "{count}, {yes}",
    ),
    "paddle misses": (
        "{wow}, {a miss}",
        "{a miss}, {the paddle} {short}",
        "{ball} 옆으로 빠져나갑니다",
        "{ball} 나갔습니다, 경기가 끝납니다",
        "그대로 지나갑니다, {wow}",
        "{the paddle} {short}, {ball} 사라졌습니다",
    ),
    "paddle watches": (
        "{ball} {drifts} {flies}",
        "{pace} 갑니다, {drifts}",
        "{ball} 지금 {stands} 있고 {pace} 움직입니다",
        "{stands} 있는 공이 {drifts} {flies}",
        "멀리 {flies}, {pace}",
        "{ball} 벽을 향합니다, {drifts}",
    ),
    "paddle waits": (
        "{ball} {heads} 오고 {the paddle} {waits} {is}",
        "{ball} {heads} 돌아옵니다, {the paddle} {waits} {is}",
        "{the paddle} {waits} {is}, 공은 {heads} 옵니다",
        "{heads} 옵니다, 그곳에서 {the paddle} 기다립니다",
        "{the paddle} 길목을 지킵니다, {yes}",
        "쉬운 공입니다, {the paddle} {waits} {is}",
    ),
    "paddle hurries": (
        "{ball} {heads} 오고 {the paddle} 더 가야 합니다",
        "{heads} 옵니다, {the paddle} 서둘러야 합니다",
        "{the paddle} 아직 {waits} {is}, 그래도 시간이 있습니다",
        "{ball} {pace} 다가오고 {the paddle} 서두릅니다",
    ),
    "paddle is late": (
        "{the paddle} 닿지 못할 것 같습니다",
        "{ball} {heads} 옵니다, 너무 멉니다",
        "{wow}, {the paddle} 너무 늦었습니다",
        "{ball} {pace} 옵니다, {the paddle} 못 따라갑니다",
        "아무도 없는데 {ball} {heads} 옵니다",
    ),
    "paddle is far": (
        "{ball} {heads} 오고 {the paddle} {waits} {is}",
        "{ball} {heads} 돌아옵니다, {the paddle} {waits} {is}",
        "{the paddle} {waits} {is}, 공은 {heads} 옵니다",
        "{the paddle} 닿지 못할 것 같습니다, {ball} {heads} 옵니다",
        "{wow}, {the paddle} {waits} {is}, 너무 늦었습니다",
    ),
    "ball": ("공이", "공이", "작은 공이", "하얀 공이"),
    "the paddle": ("패들이", "패들이", "우리 선수가", "우리 패들이"),
    "is": ("있습니다", "서 있습니다", "머뭅니다"),
    "flies": ("날아갑니다", "갑니다", "나아갑니다"),
    "a hit": ("맞혔습니다", "정확히 맞혔습니다", "받아 냈습니다", "멋진 수비입니다"),
    "a miss": ("놓쳤습니다", "공을 놓쳤습니다", "빗나갔습니다", "놓치고 말았습니다"),
    "slow": ("천천히", "여유 있게", "부드럽게"),
    "fast": ("빠르게", "화살처럼", "전속력으로", "재빨리"),
    "to top": ("위쪽으로", "높은 곳으로", "위쪽 구석으로"),
    "to middle": ("가운데로", "한복판으로", "정면으로"),
    "to bottom": ("아래쪽으로", "낮은 곳으로", "아래쪽 구석으로"),
    "at top": ("위쪽에", "높은 곳에", "천장 가까이에"),
    "at middle": ("가운데에", "한복판에", "중간 높이에"),
    "at bottom": ("아래쪽에", "낮은 곳에", "바닥 가까이에"),
    "up": ("위를 향해", "솟아오르며", "올라가면서"),
    "down": ("아래를 향해", "내려오며", "내려가면서"),
    "too high": ("너무 높았습니다", "공보다 위에 있었습니다", "조금 높았습니다"),
    "too low": ("너무 낮았습니다", "공보다 아래에 있었습니다", "조금 낮았습니다"),
    "one": ("첫 번째입니다", "한 번 성공입니다"),
    "two": ("두 번째입니다", "두 번 성공입니다"),
    "three": ("세 번째입니다", "세 번 성공입니다"),
    "many": ("벌써 여러 번째입니다", "여러 번 성공입니다"),
    "ride begins": (
        "새 주행이 시작됩니다",
        "{the rider} 출발합니다",
        "{the rider} {speed} 출발합니다",
        "자전거를 탄 {the rider} 옵니다",
    ),
    "ride falls": (
        "{wow}, {the rider} {side} 넘어집니다",
        "{side} 쓰러지는군요, {wow}",
        "{side} 넘어졌습니다, 주행이 끝납니다",
        "{the rider} 바닥에 쓰러져 있습니다",
        "무리였습니다, {the rider} 넘어졌습니다",
        "{the bicycle} {side} 쓰러집니다",
    ),
    "ride topples": (
        "{the bicycle} {side} 크게 기울고 점점 더 기웁니다",
        "{wow}, {the rider} {side} 넘어지려 합니다",
        "{the bicycle} 점점 더 {side} 기웁니다",
        "{the rider} 균형을 잃어 갑니다, {side}",
        "{side} 기우는 정도가 점점 심해집니다",
    ),
    "ride recovers": (
        "{the bicycle} {side} 기울었지만 다시 일어섭니다",
        "{yes}, {the rider} 균형을 잡습니다",
        "{side} 크게 기울었던 {the bicycle} 바로 섭니다",
        "{the rider} 자세를 되찾습니다, {yes}",
        "{side} 기운 정도가 점점 줄어듭니다",
    ),
    "ride steers into it": (
        "{the bicycle} {side} 기울고 핸들은 {turn} 갑니다",
        "{side} 기울고 {turn} 꺾습니다",
        "{the rider} {turn} 꺾습니다, 몸은 {side} 기웁니다",
        "{the rider} 넘어지는 쪽으로 꺾습니다, {yes}",
        "앞바퀴는 {turn}, {the rider} {side} 기웁니다",
    ),
    "ride steers away": (
        "{the bicycle} {side} 기울고 핸들은 {turn} 갑니다",
        "{side} 기울고 {turn} 꺾습니다",
        "{the rider} {turn} 꺾습니다, 몸은 {side} 기웁니다",
        "{the rider} 반대쪽으로 꺾습니다, {wow}",
        "앞바퀴는 {turn}, {the rider} {side} 기웁니다",
    ),
    "ride is steady": (
        "{the rider} {upright} 달립니다",
        "{upright} 잘 가고 있습니다",
        "{the bicycle} {upright} 굴러갑니다",
        "걱정할 것이 없습니다, {yes}",
        "평온한 주행입니다, {upright} 갑니다",
    ),
    "ride rolls": (
        "{the rider} {drive}",
        "{the rider} {drive}, {speed} 갑니다",
        "지금 {speed} 갑니다, {the rider} {drive}",
        "{the rider} {drive}, 앞을 봅니다",
    ),
    "the rider": ("선수가", "선수가", "우리 선수가", "라이더가"),
    "the bicycle": ("자전거가", "자전거가", "우리 자전거가"),
    "upright": ("똑바로", "곧게", "안정되게", "균형을 잡고"),
    "pedals": ("페달을 밟습니다", "힘껏 페달을 밟습니다", "열심히 달립니다"),
    "coasts": ("페달을 멈춥니다", "페달을 쉽니다", "관성으로 달립니다"),
    "brakes": ("브레이크를 잡습니다", "속도를 줄입니다", "멈추려 합니다"),
}
GRAMMARS: dict[str, Grammar] = {"en": ENGLISH, "ko": KOREAN}
GAP = re.compile(r"\{([^}]+)\}")


def sentence(
    event: str, facts: Mapping[str, str], language: str, generator: np.random.Generator
) -> str:
    """Return a random sentence for `event`, with a capital letter and a full stop."""
    grammar = GRAMMARS[language]

    def worded(name: str) -> str:
        wordings = grammar[facts.get(name, name)]
        wording = wordings[int(generator.random() * len(wordings))]
        return GAP.sub(lambda gap: worded(gap[1]), wording)

    words = worded(event)
    return f"{words[0].upper()}{words[1:]}."
