namespace Vibe.Rpc.Validation;

/// <summary>How <see cref="ValidationInterceptor"/> reports a request that breaks a rule.</summary>
public sealed class ValidationOptions
{
    /// <summary>The <c>domain</c> of the error's google.rpc.ErrorInfo: who defines the reason. Default <c>rpc.vibe.dev</c>.</summary>
    public string Domain { get; set; } = "rpc.vibe.dev";

    /// <summary>The <c>reason</c> of the error's google.rpc.ErrorInfo, UPPER_SNAKE_CASE. Default <c>INVALID_ARGUMENT</c>.</summary>
    public string Reason { get; set; } = "INVALID_ARGUMENT";
}
