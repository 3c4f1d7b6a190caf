"""Key patterns: what they match, and whether two of them match one key."""

import random
import re

import pytest
from ansible_collections.cistern.core.plugins.module_utils.cache.key_patterns import Families, Pattern, overlap

OVERLAPS = [
    ("message:{id}", "message:{other}", True),
    ("message:{id}", "messages:{id}", False),
    ("user:{id}", "user:{id}:{part}", False),
    ("user:{id}:{part}", "user:{name}:profile", True),
    ("{kind}:{id}", "user:{id}", True),
    ("a{x}", "{y}b", True),
    ("a{x}", "a", False),
    ("online_users", "online_users", True),
    ("online_users", "{word}", True),
    ("conversation:{a}:*", "conversation:{a}:{b}:messages:{c}:{d}", True),
    ("conversation:*", "conversation", False),
]


@pytest.mark.parametrize(("one", "other", "both"), OVERLAPS)
def test_overlap(one, other, both):
    for first, second in ((one, other), (other, one)):
        key = overlap(Pattern(first), Pattern(second))
        assert (key is not None) == both
        if both:
            for text in (first, second):
                assert re.fullmatch(Pattern(text).regex(), key.encode()), (text, key)


def test_overlap_agrees_with_what_random_patterns_match():
    """Two patterns of a small alphabet overlap exactly when some short key matches both."""
    dice = random.Random(5)
    keys = [""]
    for _ in range(6):
        keys += [key + letter for key in keys[-(3**6) :] for letter in "ab:"]
    keys = sorted(set(keys))
    for _ in range(300):
        texts = []
        for _each in range(2):
            parts = [dice.choice(["a", "b", ":", "{x}"]) for _ in range(dice.randint(1, 4))]
            texts.append("".join(parts).replace("{x}{x}", "{x}").replace("{x}{x}", "{x}"))
        one, other = (Pattern(text) for text in texts)
        some = any(
            re.fullmatch(one.regex(), key.encode()) and re.fullmatch(other.regex(), key.encode()) for key in keys
        )
        assert (overlap(one, other) is not None) == some, texts


@pytest.mark.parametrize("text", ["user:{Id}", "user:{", "a}", "{a}{b}", "{a}*", "{}", "{a-b}"])
def test_a_wrong_pattern_says_so(text):
    with pytest.raises(ValueError, match="has "):
        Pattern(text)


def test_a_key_belongs_to_one_family():
    policy = {"families": {"one": {"key": "one:{id}"}, "page": {"key": "c:{a}:{b}:{limit}"}, "only": {"key": "only"}}}
    families = Families(policy)
    found = {key: families.of(key) for key in (b"one:7", b"one:", b"one:7:8", b"c:1:2:3", b"only", b"onlyx", b"\xff")}
    assert found == {
        b"one:7": "one",
        b"one:": None,
        b"one:7:8": None,
        b"c:1:2:3": "page",
        b"only": "only",
        b"onlyx": None,
        b"\xff": None,
    }


def test_what_is_filled_in_stands_for_itself():
    glob, regex = Pattern("user_email:{email}:*").matcher({"email": "a*[x]?\\"})
    assert glob == "user_email:a\\*\\[x\\]\\?\\\\:*"
    assert regex.fullmatch(b"user_email:a*[x]?\\:anything:at all\n") and not regex.fullmatch(b"user_email:ab[x]?\\:1")


def test_a_pattern_is_filled_in_as_far_as_there_are_values():
    pattern = Pattern("conversation:{user1}:{user2}:*")
    assert pattern.names == ["user1", "user2"]
    assert pattern.filled({"user1": 7}) == "conversation:7:{user2}:*"
    assert pattern.filled({"user1": 7, "user2": 0}) == "conversation:7:0:*"
    glob, regex = pattern.matcher({"user2": 5})
    assert glob == "conversation:*:5:*"
    assert regex.fullmatch(b"conversation:7:5:x:y") and not regex.fullmatch(b"conversation:7:8:5:x")


@pytest.mark.parametrize(
    ("text", "values", "more"),
    [
        ("online_users", {}, False),
        ("user:{id}", {}, True),
        ("user:{id}", {"id": 7}, False),
        ("user:{id}:{part}", {"id": 7}, True),
        ("user:{id}:*", {"id": 7}, True),
    ],
)
def test_whether_a_pattern_is_more_than_one_key(text, values, more):
    assert Pattern(text).open_with(values) is more


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{a}{b}", "has nothing between {a} and {b}; write a colon between them"),
        ("a:*{b}", "has nothing between * and {b}; write a colon between them"),
        ("a:{B}", "has '{B}', which is no placeholder; write one as {user_id}"),
        ("a}", "has '}', which is no placeholder; write one as {user_id}"),
    ],
)
def test_what_is_wrong_with_a_pattern(text, why):
    with pytest.raises(ValueError) as error:
        Pattern(text)
    assert str(error.value) == why


def test_families_that_are_none_have_no_key():
    assert Families({"families": {}}).of(b"a") is None
