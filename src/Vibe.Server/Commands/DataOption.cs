using System.CommandLine;

namespace Vibe.Server.Commands;

/// <summary>The option that says which installation a command works on.</summary>
internal static class DataOption
{
    /// <summary><c>--data DIR</c>: the directory of an embedded installation.</summary>
    public static Option<DirectoryInfo> Create() => new("--data")
    {
        Description = "Directory of the embedded database. Not used when ConnectionStrings__Vibe names a server.",
        DefaultValueFactory = _ => new DirectoryInfo(
            Environment.GetEnvironmentVariable("VIBE_DATA")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "vibe")),
        HelpName = "DIR",
    };
}
