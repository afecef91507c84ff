using System.Globalization;

namespace Vibe.Server.Kernel;

/// <summary>Names of request fields in errors.</summary>
internal static class FieldNames
{
    /// <summary>One item of a list: <c>document.edges[3]</c>.</summary>
    public static string Item(string field, int index) => string.Create(CultureInfo.InvariantCulture, $"{field}[{index}]");
}
