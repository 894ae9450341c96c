"""Rules about what a user may do, who owns it, how its keys are used, and its other credentials (docs/rules.md). Pure.

Their facts come from calls that a read role may lack: what was not read is unknown, with the permission named.
"""

from __future__ import annotations

from hygiene.domain.details import ServiceCredentialFacts
from hygiene.domain.facts import Source
from hygiene.domain.reach import quarantine_of
from hygiene.domain.rules.base import (
    Case,
    Judgement,
    Rule,
    counted,
    failed,
    iso,
    not_applicable,
    passed,
    pending,
    status_fact,
    unknown,
    unread,
)
from hygiene.domain.verdicts import FactUsed, Severity, Subject

DETAILS = "iam:GetAccountAuthorizationDetails"
TRAIL = Source.CLOUDTRAIL
ACCOUNT_OWNER = "account"  # the link of the owner chain that is no answer to who owns this user
BEDROCK = "bedrock"
ON_BEHALF = "the service "  # a service that called on the key's behalf is no place where the key is used


def _detail(case: Case, name: str, value: str) -> FactUsed:
    return FactUsed(name, value, case.user.details.observed_at, Source.DETAILS)


def _policies(case: Case) -> FactUsed:
    found = case.user.details.policies
    return _detail(case, "policies", "unknown" if found is None else "; ".join(f"{p.name} ({p.via})" for p in found) or "none")


def admin(case: Case) -> Judgement:
    """Active key of a user with AdministratorAccess or all actions on all resources, directly or by group."""
    key, details = case.this_key, case.user.details
    word = {True: "yes", False: "no", None: "unknown"}[details.is_admin]
    facts = (status_fact(key), _detail(case, "administrator", word))
    if not key.is_active:
        return not_applicable("The key is not active.", *facts)
    if details.is_admin:
        how = f" {details.admin_via}" if details.admin_via else ""
        return failed(f"The key's user is an administrator{how}: whoever has the key owns the account.", "user is an administrator", *facts)
    if details.is_admin is False:
        return passed("The key's user is no administrator.", "user is no administrator", *facts)
    if details.policies is None:
        return unread(case, DETAILS, "what the key may do", *facts)
    return unknown("One of the user's policies could not be read, so it may or may not be an administrator.", *facts)


def quarantined(case: Case) -> Judgement:
    """A policy whose name starts AWSCompromisedKeyQuarantine is attached to the user."""
    found, fact = case.user.details.policies, _policies(case)
    if found is None:
        return unread(case, DETAILS, "whether AWS has put the user into quarantine", fact)
    if name := quarantine_of((policy.name, policy.via) for policy in found):
        text = f"AWS has attached {name}: a key of this user is known to be exposed. Leave the policy, disable the key, look at its use."
        return failed(text, "quarantine policy attached", fact)
    return passed("AWS has not put the user into quarantine.", "no quarantine policy attached", fact)


def direct_policy(case: Case) -> Judgement:
    """A policy attached or inline on the user itself."""
    found, fact = case.user.details.policies, _policies(case)
    if found is None:
        return unread(case, DETAILS, "which policies hang on the user itself", fact)
    names = [policy.name for policy in found if policy.via in ("user", "inline")]
    if names:
        return failed(f"Policies on the user itself: {', '.join(names)}.", f"policies on the user: {len(names)} > 0", fact)
    return passed("All of the user's permissions come by groups.", "policies on the user: 0", fact)


def no_owner(case: Case) -> Judgement:
    """No owner tag, key-description tag or mapping resolves. The account's owner is no answer: somebody must know this user."""
    details = case.user.details
    is_named = bool(details.owner) and details.owner_source != ACCOUNT_OWNER
    facts = (
        _detail(case, "owner", (details.owner or "none") if is_named or details.tags is not None else "unknown"),
        _detail(case, "found by", details.owner_source or "nothing"),
    )
    if is_named:
        return passed(f"Owned by {details.owner}, by {details.owner_source or 'its record'}.", "an owner is known", *facts)
    if details.tags is None:
        return unread(case, DETAILS, "whether a tag names an owner", *facts)
    return failed("No tag of the user, no description of its keys and no mapping names an owner.", "no owner found", *facts)


def shared(case: Case) -> Judgement:
    """Observed use of one active key from more than one application."""
    key, usage = case.this_key, case.this_key.usage
    names = "not looked for" if usage is None else "; ".join(usage.applications) or "none seen"
    complete = {None: "unknown", True: "yes", False: "no"}[usage.is_complete if usage else None]
    at = usage.observed_at if usage else None
    facts = (status_fact(key), FactUsed("applications", names, at, TRAIL), FactUsed("whole history read", complete, at, TRAIL))
    if not key.is_active:
        return not_applicable("The key is not active.", *facts)
    if usage is None or not usage.applications:
        return not_applicable("No use of the key was observed yet.", *facts)
    count = len(usage.applications)
    if count > 1:
        return failed(f"The key is used by {count} applications: {', '.join(usage.applications)}.", f"{count} applications > 1", *facts)
    if not usage.is_complete:
        return unknown("Only part of the key's events could be read, so it may be used by more than one application.", *facts)
    return passed(f"All events of 90 days are of one application: {usage.applications[0]}.", "1 application <= 1", *facts)


def role_would_do(case: Case) -> Judgement:
    """A long-term key whose recorded use points at a place where temporary credentials exist."""
    looked = [key for key in case.user.keys if key.is_active and key.usage is not None]
    places = sorted({place for key in looked if key.usage for place in key.usage.places if not place.startswith(ON_BEHALF)})
    at = max((key.usage.observed_at for key in looked if key.usage), default=None)
    facts = (
        FactUsed("keys looked at", str(len(looked)), at, TRAIL),
        FactUsed("places of use", "; ".join(places) or "none seen", at, TRAIL),
    )
    if places:
        text = f"A long-term key of this user is used from {', '.join(places)}, where a role gives temporary credentials."
        return failed(text, "used where temporary credentials exist", *facts)
    return not_applicable("No use was observed from a place where temporary credentials are known to exist.", *facts)


def ssh_key_old(case: Case) -> Judgement:
    """SSH public key active and D(uploaded) > N."""
    details, limit = case.user.details, case.policy.number("ssh_key.old")
    listed = Source.SSH_KEYS
    if details.ssh_keys is None:
        fact = FactUsed("SSH keys", "unknown", None, listed)
        return pending("SSH public keys were not collected yet.", fact)
    active = [key for key in details.ssh_keys if key.is_active]
    facts = tuple(
        FactUsed(f"active SSH key {key.key_id} uploaded", iso(key.uploaded_at), details.credentials_observed_at, listed) for key in active
    )
    if not active:
        return not_applicable("No active SSH public key.", FactUsed("active SSH keys", "0", details.credentials_observed_at, listed))
    ages = [case.days(key.uploaded_at) for key in active]
    oldest = max((age for age in ages if age is not None), default=None)
    if oldest is not None and oldest > limit:
        return failed(f"An SSH public key is {counted(oldest)} old.", f"uploaded {oldest} days ago > limit {limit}", *facts)
    if oldest is None or None in ages:
        return unknown("When an SSH public key was uploaded is not known.", *facts)
    return passed(f"The oldest SSH public key is {counted(oldest)} old.", f"uploaded {oldest} days ago <= limit {limit}", *facts)


def long_lived(case: Case) -> Judgement:
    """Bedrock API key active and unexpired; critical if it never expires."""
    details, listed = case.user.details, Source.SERVICE_CREDENTIALS
    if details.service_credentials is None:
        fact = FactUsed("service-specific credentials", "unknown", None, listed)
        return pending("Service-specific credentials were not collected yet.", fact)
    active = [c for c in details.service_credentials if c.is_active and c.service.lower().startswith(BEDROCK)]
    facts = tuple(_expiry(credential, case) for credential in active)
    if not active:
        none = FactUsed("active Bedrock API keys", "0", details.service_credentials_observed_at, listed)
        return not_applicable("No active long-term API key of Bedrock.", none)
    if any(credential.expires_at is None for credential in active):
        text = "A long-term API key of Bedrock never expires."
        return failed(text, "active and never expires", *facts, severity=Severity.CRITICAL)
    unexpired = [credential for credential in active if credential.expires_at is not None and credential.expires_at > case.now]
    if unexpired:
        return failed("A long-term API key of Bedrock is active.", "active and not expired", *facts)
    return passed("All long-term API keys of Bedrock have expired.", "all expired", *facts)


def _expiry(credential: ServiceCredentialFacts, case: Case) -> FactUsed:
    value = "never" if credential.expires_at is None else iso(credential.expires_at)
    name = f"active Bedrock API key {credential.credential_id} expires"
    return FactUsed(name, value, case.user.details.service_credentials_observed_at, Source.SERVICE_CREDENTIALS)


RULES = (
    Rule("key.admin", Subject.KEY, admin),
    Rule("key.shared", Subject.KEY, shared),
    *(
        Rule(code, Subject.USER, condition)
        for code, condition in (
            ("key.quarantined", quarantined),
            ("ssh_key.old", ssh_key_old),
            ("service_credential.long_lived", long_lived),
            ("user.no_owner", no_owner),
            ("user.direct_policy", direct_policy),
            ("user.role_would_do", role_would_do),
        )
    ),
)
