namespace Vibe.Server.Hosting;

/// <summary>Why the program cannot go on, as one plain sentence for the person who started it. Printed without a stack trace.</summary>
internal sealed class Refusal(string message) : Exception(message);
