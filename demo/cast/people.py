"""The users of the cast: people and machines with believable names, and their keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from demo.fake_aws.organization import AwsKey, AwsUser

FIRST = [
    "ana",
    "ben",
    "chidi",
    "dana",
    "elif",
    "femi",
    "greta",
    "hugo",
    "ines",
    "jonas",
    "kaori",
    "liam",
    "mette",
    "noor",
    "omar",
    "petra",
    "quinn",
    "rosa",
    "sven",
    "tariq",
    "uma",
    "vera",
    "wei",
    "yuki",
    "zoe",
]
LAST = [
    "adeyemi",
    "bakker",
    "castillo",
    "dubois",
    "eriksen",
    "farah",
    "gomez",
    "haddad",
    "ivanova",
    "jansen",
    "kimura",
    "larsen",
    "moreau",
    "novak",
    "okafor",
    "petrov",
    "rossi",
    "silva",
    "tanaka",
    "weber",
]
TASKS = [
    "backup",
    "deploy",
    "etl",
    "export",
    "ses-smtp",
    "grafana-reader",
    "jenkins",
    "terraform",
    "log-shipper",
    "s3-sync",
    "vendor-upload",
    "metrics",
    "invoice-mailer",
    "cdn-purge",
    "dns-sync",
]
PLACES = (
    ("s3", "eu-west-1"),
    ("ec2", "eu-central-1"),
    ("sqs", "us-east-1"),
    ("dynamodb", "us-east-1"),
    ("ses", "eu-west-1"),
    ("sts", "us-east-1"),
)


class Maker:
    """Makes users from dice; every moment is relative to `now`."""

    def __init__(self, dice: Random, now: datetime) -> None:
        self.dice, self.now, self.names = dice, now, set[str]()

    def ago(self, least: float, most: float) -> datetime:
        """A moment between so many days ago, in whole seconds, away from the boundary of a whole day."""
        days = self.dice.randint(int(least), max(int(least), int(most) - 1)) + self.dice.uniform(0.2, 0.8)
        return (self.now - timedelta(days=days)).replace(microsecond=0)

    def name(self, is_person: bool) -> str:
        """A name that this account does not have yet, whatever its case."""
        while True:
            if is_person:
                name = f"{self.dice.choice(FIRST)}.{self.dice.choice(LAST)}"
            else:
                name = f"{self.dice.choice(TASKS)}-{self.dice.choice(['prod', 'eu', 'us', 'old', 'v2', 'night', 'api', 'batch'])}"
            if name in self.names:
                name = f"{name}{self.dice.randint(2, 99)}"
            if name not in self.names:
                self.names.add(name)
                return name

    def key(self, born: datetime, used: tuple[float, float] | None, status: str = "Active") -> AwsKey:
        """A key; `used` is a range of days ago, or None for never."""
        service, region = self.dice.choice(PLACES)
        region = "N/A" if service == "s3" and self.dice.random() < 0.3 else region
        last = None if used is None else max(born + timedelta(hours=1), self.ago(*used))
        return AwsKey(born, status, last, region, service)


def people(dice: Random, count: int, now: datetime) -> list[AwsUser]:
    """Users of every usual kind, in believable shares."""
    maker = Maker(dice, now)
    kinds: list[tuple[int, Callable[[Maker], AwsUser]]] = [
        (26, _machine_in_use),
        (12, _machine_old),
        (6, _never_used),
        (8, _idle),
        (4, _forgotten),
        (4, _rotating),
        (3, _superseded),
        (4, _disabled),
        (18, _person),
        (5, _person_without_mfa),
        (3, _person_never_in),
        (4, _person_with_key),
        (1, _certificate),
        (1, _nothing),
    ]
    wheel = [make for weight, make in kinds for _ in range(weight)]
    return [dice.choice(wheel)(maker) for _ in range(count)]


def _user(maker: Maker, born: datetime, *, is_person: bool = False, keys: list[AwsKey] | None = None) -> AwsUser:
    path = maker.dice.choice(["/", "/", "/", "/service/", "/people/"])
    return AwsUser(maker.name(is_person), created_at=born, path=path, keys=keys or [])


def _machine_in_use(maker: Maker) -> AwsUser:
    born = maker.ago(5, 88)
    return _user(maker, born, keys=[maker.key(born, (0, 2))])


def _machine_old(maker: Maker) -> AwsUser:
    born = maker.ago(92, 1900)
    return _user(maker, born, keys=[maker.key(born, (0, 30))])


def _never_used(maker: Maker) -> AwsUser:
    born = maker.ago(1, 2100)
    return _user(maker, born, keys=[maker.key(born, None)])


def _idle(maker: Maker) -> AwsUser:
    born = maker.ago(300, 1500)
    return _user(maker, born, keys=[maker.key(born, (46, 290))])


def _forgotten(maker: Maker) -> AwsUser:
    born = maker.ago(900, 3600)
    return _user(maker, born, keys=[maker.key(born, (370, 880))])


def _rotating(maker: Maker) -> AwsUser:
    born = maker.ago(200, 900)
    return _user(maker, born, keys=[maker.key(born, (0, 5)), maker.key(maker.ago(16, 60), (0, 2))])


def _superseded(maker: Maker) -> AwsUser:
    born = maker.ago(200, 900)
    return _user(maker, born, keys=[maker.key(maker.ago(10, 40), (0, 2)), maker.key(born, (60, 150))])


def _disabled(maker: Maker) -> AwsUser:
    born = maker.ago(120, 1200)
    return _user(maker, born, keys=[maker.key(born, (70, 110) if maker.dice.random() < 0.7 else None, "Inactive")])


def _person(maker: Maker) -> AwsUser:
    user = _user(maker, maker.ago(30, 1800), is_person=True)
    user.password, user.password_changed_at, user.signed_in_at = True, maker.ago(5, 29), maker.ago(0, 5)
    user.mfa = maker.dice.choice(["virtual", "virtual", "hardware"])
    return user


def _person_without_mfa(maker: Maker) -> AwsUser:
    user = _person(maker)
    user.mfa = ""
    return user


def _person_never_in(maker: Maker) -> AwsUser:
    user = _person(maker)
    user.signed_in_at, user.password_changed_at = None, maker.ago(60, 400)
    return user


def _person_with_key(maker: Maker) -> AwsUser:
    user = _person(maker)
    user.keys = [maker.key(user.created_at, (0, 40) if maker.dice.random() < 0.6 else None)]
    return user


def _certificate(maker: Maker) -> AwsUser:
    user = _machine_old(maker)
    user.certificates = [(False, maker.ago(1500, 1600)), (True, maker.ago(200, 900))]
    return user


def _nothing(maker: Maker) -> AwsUser:
    return _user(maker, maker.ago(100, 900))


def tricky(now: datetime) -> list[AwsUser]:
    """Every shape that trips tools up, in one account."""
    maker = Maker(Random("platform-tools"), now)  # noqa: S311  # invented data, not secrets
    same = maker.ago(400, 420)
    early = datetime.fromisoformat("2014-06-02T10:00:00+00:00")
    rows = [
        AwsUser(
            "same-second-one-off", created_at=same, keys=[AwsKey(same), AwsKey(same, status="Inactive", last_used_at=maker.ago(200, 300))]
        ),
        AwsUser("same-second-twins", created_at=same, keys=[AwsKey(same, last_used_at=maker.ago(3, 9)), AwsKey(same)]),
        AwsUser("bob", created_at=same, keys=[maker.key(same, (0, 3))]),
        AwsUser("bob2", created_at=same, keys=[maker.key(same, None)]),
        AwsUser("terraform-ci", created_at=early, keys=[AwsKey(early)]),
        AwsUser("billing,export", created_at=same, keys=[maker.key(same, (100, 200))]),
        AwsUser("=cmd+calc@x", created_at=same, keys=[maker.key(same, None)]),
        AwsUser("odd-path", created_at=same, path="/<script>alert(1)</script>/*/", keys=[maker.key(same, (50, 60))]),
        AwsUser("slot-two-only", created_at=same, keys=[maker.key(maker.ago(20, 30), (0, 2))]),
        AwsUser(
            "two-disabled", created_at=same, keys=[maker.key(same, None, "Inactive"), maker.key(maker.ago(50, 60), (45, 49), "Inactive")]
        ),
        AwsUser("born-today", created_at=now - timedelta(hours=3), keys=[AwsKey(now - timedelta(hours=3))]),
        AwsUser("removed-password", created_at=same, signed_in_at=maker.ago(200, 300)),
        AwsUser("no-sign-in-since-2014", created_at=early, password=True, password_changed_at=early),
    ]
    for user in rows:
        user.created_at = user.created_at.replace(microsecond=0)
    return [*rows, *people(Random("platform"), 24, now)]  # noqa: S311  # invented data, not secrets
