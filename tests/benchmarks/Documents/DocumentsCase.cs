using Vibe.Documents.V1;

namespace Vibe.Benchmarks.Documents;

/// <summary>What kind of call a case makes.</summary>
internal enum Operation
{
    /// <summary>By id; every second one public and of somebody else.</summary>
    Get,

    /// <summary>A new document of 300 bytes.</summary>
    Create,

    /// <summary>Merges one field into one of the caller's documents.</summary>
    Update,

    /// <summary>A page of 50.</summary>
    List,

    /// <summary>Full text, a page of 50.</summary>
    Search,
}

/// <summary>One call to measure, the same for all contenders.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Operation">What it does.</param>
/// <param name="Collection">Where.</param>
internal sealed record DocumentsCase(string Name, Operation Operation, string Collection)
{
    /// <summary>Whose documents.</summary>
    public DocumentScope Scope { get; init; } = DocumentScope.Public;

    /// <summary>The field a list compares; empty for none.</summary>
    public string Field { get; init; } = "";

    /// <summary>The string the field must equal, or the words to search.</summary>
    public string Value { get; init; } = "";

    /// <summary>The field a list is ordered by; empty for newest first.</summary>
    public string Order { get; init; } = "";

    /// <summary>The filter in the contract's text form.</summary>
    public string Filter => Field.Length == 0 ? "" : $"data.{Field} = \"{Value}\"";

    /// <summary>The order in the contract's text form.</summary>
    public string OrderBy => Order.Length == 0 ? "" : $"data.{Order}";

    /// <summary>Whether the table promises a time for it when there are a million documents.</summary>
    public bool IsQuery => Operation is Operation.List or Operation.Search;

    /// <summary>How many documents a page has.</summary>
    public const int PageSize = 50;

    /// <summary>The body that is created.</summary>
    public const string Body =
        """{"title":"Notes on design","ref":"r77","score":4.75,"done":false,"tags":["alpha","beta","gamma"],"by":{"name":"Someone","place":"Lisboa"},"text":"All that is gold does not glitter, not all those who wander are lost; the old that is strong does not wither, deep roots are not reached by the frost. From the ashes"}""";

    /// <summary>What an update merges into the body.</summary>
    public static string Patch(int turn) => $$"""{"score":{{turn % 1000}}}""";
}
