using Microsoft.Extensions.Options;

namespace Vibe.Rpc.Hosting;

/// <summary>Refuses limits that would turn a safeguard off by accident.</summary>
internal sealed class RpcServerLimitsValidator : IValidateOptions<RpcServerLimits>
{
    public ValidateOptionsResult Validate(string? name, RpcServerLimits options)
    {
        if (options.WriteTimeout <= TimeSpan.Zero && options.WriteTimeout != Timeout.InfiniteTimeSpan)
        {
            return ValidateOptionsResult.Fail($"{nameof(options.WriteTimeout)} must be positive, or infinite.");
        }

        if (options.MaxBufferedRequestBytes <= 0)
        {
            return ValidateOptionsResult.Fail($"{nameof(options.MaxBufferedRequestBytes)} must be positive.");
        }

        return options.DrainTimeout < TimeSpan.Zero || options.DrainTimeout > TimeSpan.FromHours(1)
            ? ValidateOptionsResult.Fail($"{nameof(options.DrainTimeout)} must be between zero and one hour.")
            : ValidateOptionsResult.Success;
    }
}
