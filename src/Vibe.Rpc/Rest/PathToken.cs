namespace Vibe.Rpc.Rest;

/// <summary>What a piece of a path template is.</summary>
internal enum PathTokenKind
{
    Slash,
    Star,
    DoubleStar,
    OpenBrace,
    CloseBrace,
    Equals,
    Colon,
    Literal,
    End,
}

/// <summary>A piece of a path template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Position">Where it starts, counted in characters from 0.</param>
/// <param name="Text">Its text; empty for the end.</param>
internal readonly record struct PathToken(PathTokenKind Kind, int Position, string Text);
