"""Sign-in policy on top of django-allauth: nobody signs up by themselves; single sign-on makes an account without any role."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib.auth.models import Permission, User
from django.db.models import QuerySet
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Local accounts are made by an administrator, never by a form."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed."""
        return False


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """The identity provider decides who may come in; roles are given here, by an administrator."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        """Open: the provider has vouched for the person."""
        return True


class RolesBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types
    """Rights come with roles and in no other way: a permission given to one person alone counts for nothing, and costs no query."""

    def _get_user_permissions(self, user_obj: User) -> QuerySet[Permission]:
        return Permission.objects.none()
