using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>Sends a call until the server answers with response metadata, the retry rules end, or the call does (gRFC A6).</summary>
internal sealed class CallAttempts(GrpcChannel channel, CallDescription call, CallLifetime lifetime, HttpContent content)
{
    /// <summary>Whether the request is one message, which can be sent again.</summary>
    public bool CanResend { get; init; }

    /// <summary>Whether the response is exactly one message, so that OK without one is wrong.</summary>
    public bool ExpectsMessage { get; init; }

    /// <summary>
    /// Opens the response; null when the call ended without one. Once there is response metadata the answer is the caller's, and
    /// nothing is retried any more. Never throws.
    /// </summary>
    public async Task<ResponseReader?> OpenAsync()
    {
        try
        {
            return await OpenCoreAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            lifetime.Fail(exception);
            return null;
        }
    }

    private async Task<ResponseReader?> OpenCoreAsync()
    {
        var retries = 0;
        var retriesSincePushback = 0;
        var connectFailures = 0;
        var resentTransparently = false;
        while (!lifetime.HasEnded)
        {
            var attempt = await SendAsync(retries).ConfigureAwait(false);
            if (attempt.Reader is { } reader)
            {
                return lifetime.TryAttach(reader, attempt.Metadata) ? reader : null;
            }

            TimeSpan delay;
            if (attempt.Exception is { } refused && FailureStatus.IsRefused(refused) && CanResend && !resentTransparently)
            {
                // The server did not look at it, so this is no retry in the sense of the rules. Once only: it may be overloaded.
                resentTransparently = true;
                continue;
            }

            if (call.WaitForReady && attempt.Exception is { } unreachable && FailureStatus.IsConnectFailure(unreachable))
            {
                delay = RetrySchedule.ConnectBackoff(++connectFailures);
            }
            else if (!MayRetry(attempt, retries, out var pushback))
            {
                End(attempt);
                return null;
            }
            else
            {
                retries++;
                retriesSincePushback = pushback is null ? retriesSincePushback + 1 : 0;
                delay = pushback ?? call.Route.Retry!.Backoff(retriesSincePushback);
            }

            await Task.Delay(RpcTimeout.ClampToTimer(delay), channel.Options.TimeProvider, lifetime.Ended).ConfigureAwait(false);
        }

        return null;
    }

    private async Task<Attempt> SendAsync(int previousAttempts)
    {
        HttpResponseMessage? response = null;
        try
        {
            // In an async method, so the caller's current span stays as it is. The handler sends the current one on.
            Activity.Current = lifetime.Activity ?? Activity.Current;
            var request = await RequestFactory
                .CreateAsync(call, content, lifetime.TimeLeft, previousAttempts, lifetime.Ended)
                .ConfigureAwait(false);
            response = await channel.Http.SendAsync(request, lifetime.Ended).ConfigureAwait(false);
            var metadata = ResponseHeaders.ToMetadata(response.Headers);
            if (ResponseHeaders.ReadEarlyStatus(response) is { } status)
            {
                response.Dispose();
                return new(null, metadata, status, null);
            }

            var body = await response.Content.ReadAsStreamAsync(lifetime.Ended).ConfigureAwait(false);
            return new(new ResponseReader(response, body, channel.Options.MaxReceiveMessageSize), metadata, default, null);
        }
        catch (Exception exception)
        {
            response?.Dispose();
            return new(null, Metadata.Empty, FailureStatus.From(exception), exception);
        }
    }

    private bool MayRetry(in Attempt attempt, int retries, out TimeSpan? pushback)
    {
        pushback = null;
        if (!CanResend || call.Route.Retry is not { } schedule || !schedule.Covers(attempt.Status.StatusCode))
        {
            return false;
        }

        channel.Throttle?.Failed();
        if (attempt.Metadata.GetValue(MetadataHeaders.RetryPushback) is { } text)
        {
            // Negative, or no number at all: the server asks not to be asked again.
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
            {
                return false;
            }

            pushback = TimeSpan.FromMilliseconds(milliseconds);
        }

        return retries + 1 < schedule.MaxAttempts && channel.Throttle?.AllowsRetries != false;
    }

    private void End(in Attempt attempt)
    {
        if (attempt.Exception is { } exception)
        {
            lifetime.Fail(exception);
            return;
        }

        var status = attempt.Status.StatusCode == StatusCode.OK && ExpectsMessage ? MissingMessage : attempt.Status;
        lifetime.End(status, attempt.Metadata);
    }

    /// <summary>The status of a call that ended with OK but without the one message it needs (gRPC status codes: cardinality violation).</summary>
    public static Status MissingMessage => new(StatusCode.Unimplemented, "The server answered OK without a message.");

    private readonly record struct Attempt(ResponseReader? Reader, Metadata Metadata, Status Status, Exception? Exception);
}
