package app;

import demo.Catalog;
import demo.Reports;
import demo.Types;
import java.io.IOException;

/**
 * Serves demo.Catalog, demo.Reports and demo.Types until its standard input ends: {@code Provider PORT [OPTIONS]}.
 *
 * <p>PORT 0 takes a free one. OPTIONS are {@code protocol=http&group=g&version=v&token=t} and any other URL
 * parameter. Prints
 * {@code READY <port>} when calls are answered.
 */
public final class Provider {
    private static final String CALLBACKS = "build.3.callback=true&forget.0.callback=false";

    private Provider() {}

    public static void main(String[] args) throws IOException {
        int port = Integer.parseInt(args[0]);
        Options options = Options.parse(args.length > 1 ? args[1] : "");
        if (port == 0) {
            port = FreePort.find();
        }
        Dubbo dubbo = new Dubbo();
        dubbo.export(Catalog.class, new MemoryCatalog(), port, options);
        dubbo.export(Types.class, EchoTypes.make(Provider::sendBack), port, options);
        // Otherwise Dubbo takes the listeners for values, and they are no Serializable.
        dubbo.export(Reports.class, new MemoryReports(), port, options.with(CALLBACKS));
        System.out.println("READY " + port);
        System.out.flush();
        while (System.in.read() >= 0) {
            continue; // only the end of the input matters
        }
        dubbo.close();
        System.exit(0);
    }

    private static String sendBack(String key) {
        String value = Dubbo.attachment(key);
        if (value != null) {
            Dubbo.reply(key, value);
        }
        return value;
    }
}
