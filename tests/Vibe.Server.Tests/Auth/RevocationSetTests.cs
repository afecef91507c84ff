using Vibe.Errors.V1;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Kernel;

namespace Vibe.Server.Tests.Auth;

public sealed class RevocationSetTests
{
    private const string User = "did:web:vibe.test:users:1";
    private const string App = "did:web:vibe.test:apps:2";
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Caller Caller = new() { Did = User, App = App, Grant = "grant", IssueTime = Start };

    private readonly MovingTime _time = new(Start.AddSeconds(0.5));
    private readonly RevocationSet _revocations;

    public RevocationSetTests() => _revocations = new RevocationSet(_time);

    [Fact]
    public void A_token_issued_later_is_good_again_but_never_one_of_a_revoked_grant()
    {
        foreach (var revocation in (Revocation[])[Revocation.OfConsent(User, App), Revocation.OfAccount(User), Revocation.OfApp(App)])
        {
            _revocations.Apply(Now(revocation));
        }

        Assert.Equal(ErrorReason.TokenRevoked, _revocations.LossOf(Caller));
        Assert.Equal(ErrorReason.TokenRevoked, _revocations.LossOf(Caller with { IssueTime = null }));
        Assert.Null(_revocations.LossOf(Caller with { IssueTime = Start.AddSeconds(1) }));

        _revocations.Apply(Now(Revocation.OfGrant("grant")));
        Assert.Equal(ErrorReason.TokenRevoked, _revocations.LossOf(Caller with { IssueTime = Start.AddSeconds(1) }));
    }

    [Fact]
    public void A_revocation_concerns_nobody_else()
    {
        _revocations.Apply(Now(Revocation.OfConsent(User, App)), Now(Revocation.OfGrant("grant")));
        Assert.Null(_revocations.LossOf(Caller with { Grant = "another", App = "did:web:vibe.test:apps:3" }));
        Assert.Null(_revocations.LossOf(Caller with { Grant = null, Did = "did:web:vibe.test:users:2" }));
        Assert.Null(_revocations.LossOf(Caller.SignedOut));

        // An account and an app of one name, or a grant called like a user, are not mixed up.
        _revocations.Apply(Now(Revocation.OfAccount(App)), Now(Revocation.OfApp(User)), Now(Revocation.OfGrant(User)));
        Assert.Null(_revocations.LossOf(Caller with { Grant = "another", App = "did:web:vibe.test:apps:3" }));
    }

    [Fact]
    public void A_disabled_app_does_not_act_as_itself_either()
    {
        _revocations.Apply(Now(Revocation.OfApp(App)));
        Assert.Equal(ErrorReason.TokenRevoked, _revocations.LossOf(new Caller { Did = App, App = App, IssueTime = Start }));
    }

    [Fact]
    public void An_earlier_revocation_read_later_takes_nothing_back()
    {
        var earlier = Now(Revocation.OfAccount(User));
        _time.Now = _time.Now.AddSeconds(10);
        _revocations.Apply(Now(Revocation.OfAccount(User)));
        _revocations.Apply(earlier);
        Assert.Equal(ErrorReason.TokenRevoked, _revocations.LossOf(Caller with { IssueTime = Start.AddSeconds(5) }));
    }

    [Fact]
    public void What_has_expired_goes()
    {
        _revocations.Apply(Now(Revocation.OfGrant("grant")), Now(Revocation.OfPrincipals(User)));
        _time.Now = _time.Now.AddMinutes(10);
        _revocations.RemoveExpired();
        Assert.Equal(2, _revocations.Count);
        Assert.NotNull(_revocations.LossOf(Caller));

        _time.Now = _time.Now.AddMinutes(1);
        _revocations.RemoveExpired();
        Assert.Equal(0, _revocations.Count);
        Assert.Null(_revocations.LossOf(Caller));
    }

    [Fact]
    public async Task A_watch_is_told_once_and_only_of_its_caller()
    {
        using var watch = _revocations.Watch(Caller, CancellationToken.None);
        using var other = _revocations.Watch(Caller with { Grant = "another" }, CancellationToken.None);
        _revocations.Apply(Now(Revocation.OfGrant("grant")));
        await ToldAsync(watch);
        _revocations.Apply(Now(Revocation.OfPrincipals(User)));
        Assert.Equal(ErrorReason.TokenRevoked, watch.Reason);

        await ToldAsync(other);
        Assert.Equal(ErrorReason.AccessChanged, other.Reason);
        using var later = _revocations.Watch(Caller with { AccessVersion = _revocations.Version, Grant = null }, CancellationToken.None);
        Assert.Null(later.Reason);
    }

    [Fact]
    public async Task A_watch_that_comes_too_late_is_told_at_once()
    {
        _revocations.Apply(Now(Revocation.OfGrant("grant")));
        using var watch = _revocations.Watch(Caller, CancellationToken.None);
        await ToldAsync(watch);
    }

    [Fact]
    public void A_watch_that_is_over_hears_nothing()
    {
        var watch = _revocations.Watch(Caller, CancellationToken.None);
        watch.Dispose();
        _revocations.Apply(Now(Revocation.OfGrant("grant")));
        watch.Lose(ErrorReason.TokenRevoked);
        Assert.Null(watch.Reason);
    }

    [Fact]
    public void The_same_revocation_twice_changes_nothing()
    {
        var revocation = Now(Revocation.OfPrincipals(User));
        _revocations.Apply(revocation);
        var version = _revocations.Version;
        _revocations.Apply(revocation);
        Assert.Equal(version, _revocations.Version);
    }

    internal static async Task ToldAsync(AccessWatch watch)
    {
        var told = new TaskCompletionSource();
        await using var registration = watch.Token.Register(told.SetResult);
        await told.Task.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.NotNull(watch.Reason);
    }

    private Revocation Now(Revocation revocation) => revocation with { RevokeTime = _time.Now, ExpireTime = _time.Now.AddMinutes(11) };
}
