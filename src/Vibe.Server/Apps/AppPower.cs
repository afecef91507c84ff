namespace Vibe.Server.Apps;

/// <summary>What somebody may do with an app; each includes the one before.</summary>
internal enum AppPower
{
    /// <summary>Read what everyone may.</summary>
    None,

    /// <summary>Look after it.</summary>
    Admin,

    /// <summary>Also delete it, give it away, and say who its admins are.</summary>
    Owner,

    /// <summary>An operator of the server.</summary>
    Operator,
}
