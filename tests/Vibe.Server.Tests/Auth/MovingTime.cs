namespace Vibe.Server.Tests.Auth;

/// <summary>A clock that a test sets.</summary>
internal sealed class MovingTime(DateTimeOffset start) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = start;

    public override DateTimeOffset GetUtcNow() => Now;
}
